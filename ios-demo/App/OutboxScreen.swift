// Outbox: what waits, why, and since when.
import DemoModels
import SwiftUI

struct OutboxScreen: View {
    let model: OutboxModel
    let banners: BannerList
    private let words = Words.app

    var body: some View {
        NavigationStack {
            List {
                banners
                waiting
                if !model.parked.isEmpty { parked }
                reports
                Section(words("outbox_health_title")) {
                    ForEach(model.health, id: \.self) { Text(words($0)) }
                }
                if let problem = model.problem { StatusText(line: problem) }
            }
            .navigationTitle(words("outbox_title"))
            .refreshable { await model.send() }
        }
        .task { await model.refresh() }
    }

    private var waiting: some View {
        Section {
            StatusText(line: model.waiting).font(.headline)
            if let since = model.since { StatusText(line: since) }
            ForEach(model.outcome, id: \.self) { StatusText(line: $0) }
            Button(words(model.isSending ? "outbox_sync_running" : "outbox_sync")) {
                Task { await model.send() }
            }
            .disabled(model.isSending)
        }
    }

    private var parked: some View {
        Section {
            ForEach(model.parked) { item in
                Text(words(item.line))
                Button(words(Line("outbox_try_again", .line(item.what)))) {
                    Task { await model.tryAgain(item) }
                }
            }
        } header: {
            Text(words("outbox_parked_title"))
        } footer: {
            Text(words("outbox_parked_hint"))
        }
    }

    private var reports: some View {
        Section(words("outbox_reports_title")) {
            if model.reports.isEmpty { Text(words("outbox_reports_none")) }
            ForEach(model.reports) { report in
                VStack(alignment: .leading) {
                    Text(words(report.kind)).font(.headline)
                    if let pressed = report.pressed { Text(words(pressed)) }
                    StatusText(line: report.state)
                }
                .accessibilityElement(children: .combine)
            }
        }
    }
}
