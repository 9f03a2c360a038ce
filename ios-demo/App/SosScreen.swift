// SOS: whom to call first, the button, and what is proved of the report.
import DemoModels
import HomelineKit
import SwiftUI

struct SosScreen: View {
    @Bindable var model: SosModel
    let platform: Platform
    let banners: BannerList
    @State private var asksToCancel = false
    @State private var cannotMessage = false
    private let words = Words.app

    var body: some View {
        NavigationStack {
            List {
                banners
                Section { Text(words("promise")).font(.footnote) }
                if let notStored = model.notStored { failure(notStored) }
                localNumbers
                if let report = model.report {
                    status(report)
                } else {
                    pressSection
                }
                Section(words("sos_hotline_title")) { calls(model.hotline) }
                if let problem = model.problem { StatusText(line: problem) }
            }
            .navigationTitle(words("tab_sos"))
        }
        .task { await refresh() }
    }

    @ViewBuilder private var localNumbers: some View {
        Section(words("sos_local_title")) {
            if let mobile = model.mobile { StatusText(line: mobile) }
        }
        ForEach(model.local) { country in
            Section {
                calls(country.rows)
            } header: {
                Text(words.country(country.country))
            } footer: {
                Text(words(country.age))
            }
        }
    }

    private var pressSection: some View {
        Section(words("sos_title")) {
            Picker(words("sos_kind_label"), selection: $model.kind) {
                ForEach(SosKind.allCases, id: \.self) { Text(words($0.line)).tag($0) }
            }
            TextField(words("sos_note_label"), text: $model.note, axis: .vertical)
            HoldButton { Task { await press() } }
                .listRowInsets(EdgeInsets())
        }
    }

    private func failure(_ notStored: NotStored) -> some View {
        Section(words("sos_not_stored_title")) {
            StatusText(line: notStored.line).foregroundStyle(.red)
            ForEach(notStored.call, id: \.self) { number in
                CallButton(title: words("sos_hotline_title"), number: number)
            }
        }
    }

    @ViewBuilder private func status(_ report: ReportView) -> some View {
        Section(words("sos_status_title")) {
            StatusText(line: report.line).font(.headline)
            if report.countsDownToMs != nil { countdown(report) }
            if let next = report.nextAttempt { StatusText(line: next) }
            if model.isSending { StatusText(line: Line("sos_sending")) }
            buttons(report)
        }
        if !report.steps.isEmpty {
            Section(words("next_title")) {
                ForEach(report.steps, id: \.self) { step(report, $0) }
            }
        }
        Section(words("sos_evidence_title")) {
            ForEach(Array(report.evidence.enumerated()), id: \.offset) { _, line in
                Text(words(line)).font(.footnote)
            }
        }
    }

    private func countdown(_ report: ReportView) -> some View {
        TimelineView(.periodic(from: .now, by: 1)) { _ in
            VStack(alignment: .leading) {
                if let seconds = model.secondsLeft() {
                    Text(words(Line("sos_countdown", .number(seconds)))).font(.title)
                        .monospacedDigit()
                }
                Text(words("sos_countdown_hint")).font(.footnote)
                Button(words("sos_cancel_countdown"), role: .cancel) {
                    Task { await model.cancel() }
                }
                .buttonStyle(.borderedProminent)
            }
        }
        .task(id: report.id) { await sendAfterTheCountdown() }
    }

    @ViewBuilder private func buttons(_ report: ReportView) -> some View {
        if case .parked = report.state {
            Button(words("sos_try_again")) { Task { await model.tryAgain() } }
        }
        if report.canCancel, report.countsDownToMs == nil {
            Button(words("sos_cancel_report"), role: .destructive) { asksToCancel = true }
                .confirmationDialog(
                    words("sos_cancel_report_title"), isPresented: $asksToCancel,
                    titleVisibility: .visible
                ) {
                    Button(words("action_confirm"), role: .destructive) {
                        Task { await model.cancel() }
                    }
                } message: {
                    Text(words("sos_cancel_report_hint"))
                }
        }
        Button(words("sos_new")) { model.startNew() }
    }

    private func step(_ report: ReportView, _ step: StepRow) -> some View {
        VStack(alignment: .leading) {
            if let number = model.number(for: step.action) {
                CallButton(title: words(step.line), number: number)
            } else if step.action == .handToNeighbour || step.action == .signInAtPortal {
                Text(words(step.line))  // the traveler's to do
            } else {
                Button(words(step.line)) { Task { await perform(step.action, report.id) } }
            }
            ForEach([step.why, step.from].compactMap { $0 } + step.cautions, id: \.self) {
                Text(words($0)).font(.footnote).foregroundStyle(.secondary)
            }
        }
        .alert(words("no_messages"), isPresented: $cannotMessage) {
            Button(words("action_close"), role: .cancel) {}
        }
    }

    private func calls(_ rows: [CallRow]) -> some View {
        ForEach(rows) { CallButton(title: words($0.line), number: $0.number) }
    }

    private func press() async {
        await model.press(batteryPercent: platform.location.battery)
        platform.background.pressed()
        // The press never waits for a position: a better one follows as an update.
        if let fix = await platform.location.current() { await model.update(fix) }
    }

    private func sendAfterTheCountdown() async {
        while let seconds = model.secondsLeft(), seconds > 0 {
            try? await Task.sleep(for: .seconds(1))
            if Task.isCancelled { return }
        }
        await model.refresh()
        await model.send()
    }

    private func refresh() async {
        if let conditions = await platform.conditions() { model.conditions = conditions }
        await model.refresh()
    }

    private func perform(_ action: NextAction, _ report: String) async {
        switch action {
        case .sendByData, .sendDatagram:
            await model.send()
        case .sendSms:
            cannotMessage = !platform.messages.canSend
            guard platform.messages.canSend, let controller = UIApplication.shared.front
            else { return }
            // What came of it is in the report's evidence.
            _ = try? await platform.messages.present(report, over: controller)
            await refresh()
        case .callLocalEmergency, .callHotline, .handToNeighbour, .signInAtPortal:
            break  // no button of this kind
        }
    }
}

extension UIApplication {
    /// What is in front of everything, to show a sheet over it.
    fileprivate var front: UIViewController? {
        let scenes = connectedScenes.compactMap { $0 as? UIWindowScene }
        var controller = scenes.compactMap(\.keyWindow).first?.rootViewController
        while let presented = controller?.presentedViewController { controller = presented }
        return controller
    }
}
