package org.homeline.demo

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.widget.RadioGroup
import android.widget.ScrollView
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.homeline.WakeCause

/** The one window. It draws what the models say, and keeps nothing: a turned phone makes it anew. */
class MainActivity : Activity() {
    private val scope = MainScope()
    private var session: Session? = null
    private var isFront = false

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.main)
        scope.launch { draw((application as DemoApp).session.await()) }
    }

    override fun onStart() {
        super.onStart()
        isFront = true
        session?.let(::front)
    }

    override fun onStop() {
        isFront = false
        // A window that is made anew, as when the phone is turned, is in front again at once.
        if (!isChangingConfigurations) session?.courier?.stop()
        super.onStop()
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private fun front(session: Session) {
        scope.launch { readable { session.home.woke(WakeCause.FOREGROUND) } }
        session.courier.start()
    }

    private fun draw(session: Session) {
        this.session = session
        val words = Words(this, session.phone::now)
        val dialler = Dialler(this)
        val banner = Banner(part(R.id.banner), session.state, words)
        val sos = SosScreen(
            part(R.id.sos),
            part(R.id.sos_press),
            session.sos,
            words,
            dialler,
            session.phone::now,
            session.courier,
            scope,
        )
        val here = HereScreen(part(R.id.here), session.here, words, dialler, scope, ::askForPosition)
        val me = MeScreen(part(R.id.me), session.me, words, ::askWhereToExport)
        val outbox = OutboxScreen(part(R.id.outbox), session.outbox, words)
        scope.launch { session.state.view.collect(banner::render) }
        scope.launch {
            session.sos.view.combine(session.courier.view, ::Pair)
                .collect { (view, courier) -> sos.render(view, courier) }
        }
        scope.launch { session.here.view.collect(here::render) }
        scope.launch { session.me.view.collect(me::render) }
        scope.launch {
            session.outbox.view.combine(session.courier.view, ::Pair)
                .collect { (view, courier) -> outbox.render(view, courier) }
        }
        tabs()
        if (isFront) front(session)
    }

    private fun tabs() {
        val tabs = part<RadioGroup>(R.id.tabs)
        part<View>(R.id.loading).setShown(false)
        showPage(tabs.checkedRadioButtonId)
        tabs.setOnCheckedChangeListener { _, tab ->
            showPage(tab)
            part<ScrollView>(R.id.page).scrollTo(0, 0)
        }
    }

    private fun showPage(tab: Int) {
        PAGES.forEach { (itsTab, page) -> part<View>(page).setShown(itsTab == tab) }
        part<View>(R.id.below).setShown(tab == R.id.tab_sos)
    }

    /** Asked where the traveler wants it, and for what the screen says above the button. */
    private fun askForPosition() {
        val session = session ?: return
        if (session.phone.mayLocate()) {
            session.here.locate()
        } else {
            requestPermissions(
                arrayOf(Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.ACCESS_COARSE_LOCATION),
                ASK_POSITION,
            )
        }
    }

    // Granted or refused: the model knows both.
    override fun onRequestPermissionsResult(code: Int, permissions: Array<out String>, results: IntArray) {
        if (code == ASK_POSITION) session?.here?.locate()
    }

    /** The traveler says where the file goes: no permission, and no copy that the app forgets. */
    private fun askWhereToExport() {
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType("application/json")
            .putExtra(Intent.EXTRA_TITLE, "homeline.json")
        try {
            @Suppress("DEPRECATION") // Its successor is in AndroidX.
            startActivityForResult(intent, ASK_EXPORT)
        } catch (_: ActivityNotFoundException) {
            session?.me?.export { false }
        }
    }

    @Deprecated("Its successor is in AndroidX.")
    override fun onActivityResult(code: Int, result: Int, data: Intent?) {
        val target = data?.data
        if (code == ASK_EXPORT && result == RESULT_OK && target != null) {
            session?.me?.export { json -> write(target, json) }
        }
    }

    private suspend fun write(target: Uri, json: String): Boolean = withContext(Dispatchers.IO) {
        try {
            contentResolver.openOutputStream(target, "wt")?.use { it.write(json.toByteArray()) } != null
        } catch (_: IOException) {
            false
        }
    }

    private companion object {
        const val ASK_POSITION = 1
        const val ASK_EXPORT = 2

        val PAGES = mapOf(
            R.id.tab_sos to R.id.sos,
            R.id.tab_here to R.id.here,
            R.id.tab_me to R.id.me,
            R.id.tab_outbox to R.id.outbox,
        )
    }
}
