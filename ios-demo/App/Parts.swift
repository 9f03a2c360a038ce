// Parts that the screens share: banners, a number to call, a line of text.
import DemoModels
import SwiftUI

/// What does not work now, above everything else.
struct BannerList: View {
    let banners: [Banner]
    let perform: (Banner.Action) -> Void
    private let words = Words.app

    var body: some View {
        ForEach(banners, id: \.self) { banner in
            VStack(alignment: .leading) {
                Label(words(banner.line), systemImage: "exclamationmark.triangle.fill")
                    .foregroundStyle(.primary)
                switch banner.action {
                case .startNew:
                    Button(words("state_key_lost_action")) { perform(.startNew) }
                case .dismiss:
                    Button(words("state_recovered_action")) { perform(.dismiss) }
                case nil:
                    EmptyView()
                }
            }
            .listRowBackground(Color.yellow.opacity(0.25))
        }
    }
}

/// A number, and a tap that calls it. Without a phone it says so.
struct CallButton: View {
    let title: String
    let number: String
    @Environment(\.openURL) private var openURL
    @State private var cannotCall = false
    private let words = Words.app

    var body: some View {
        Button {
            guard let url = URL(string: "tel:\(number)") else { return }
            openURL(url) { accepted in cannotCall = !accepted }
        } label: {
            LabeledContent(title) {
                Label(number, systemImage: "phone.fill").monospacedDigit()
            }
        }
        .accessibilityLabel(words(Line("sos_hotline_from", .text(title), .text(number))))
        .alert(words(Line("no_dialer", .text(number))), isPresented: $cannotCall) {
            Button(words("action_close"), role: .cancel) {}
        }
    }
}

/// A line that is read out as it changes.
struct StatusText: View {
    let line: Line
    private let words = Words.app

    var body: some View {
        Text(words(line))
            .fixedSize(horizontal: false, vertical: true)
            .accessibilityAddTraits(.updatesFrequently)
    }
}
