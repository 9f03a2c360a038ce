// The button: hold for two seconds; with VoiceOver, double-tap. What a touch means is
// decided in `Hold`.
import DemoModels
import SwiftUI

struct HoldButton: View {
    let press: () -> Void
    @State private var hold = Hold()
    @State private var began = ContinuousClock.now
    private let words = Words.app

    var body: some View {
        TimelineView(.animation(paused: !isHolding)) { timeline in
            Text(words(hold.line))
                .font(.title2.bold())
                .multilineTextAlignment(.center)
                .frame(maxWidth: .infinity, minHeight: 120)
                .background(alignment: .leading) { background }
                .foregroundStyle(.white)
                .clipShape(RoundedRectangle(cornerRadius: 16))
                .onChange(of: timeline.date) {
                    if hold.hold(at: now) { press() }
                }
        }
        .gesture(
            DragGesture(minimumDistance: 0)
                .onChanged { _ in hold.touch(at: now) }
                .onEnded { _ in if hold.release(at: now) { press() } }
        )
        .sensoryFeedback(.impact, trigger: hold.phase == .pressed)
        .accessibilityElement(children: .ignore)
        .accessibilityAddTraits(.isButton)
        .accessibilityLabel(words("sos_hold_label_ios"))
        .accessibilityAction { press() }
    }

    private var background: some View {
        GeometryReader { geometry in
            Rectangle().fill(Color(red: 0.72, green: 0.07, blue: 0.1))
            Rectangle().fill(.black.opacity(0.35))
                .frame(width: geometry.size.width * progress)
        }
    }

    private var isHolding: Bool {
        if case .holding = hold.phase { true } else { false }
    }

    private var progress: Double {
        if case .holding(let progress) = hold.phase { progress } else { 0 }
    }

    /// Not the time since boot, which Apple wants a reason for.
    private var now: TimeInterval { began.duration(to: .now) / .seconds(1) }
}
