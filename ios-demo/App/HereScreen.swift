// Here: which country, how dangerous, who helps, what to do. With no network too.
import DemoModels
import HomelineKit
import SwiftUI

struct HereScreen: View {
    @Bindable var model: HereModel
    let platform: Platform
    let banners: BannerList
    private let words = Words.app

    var body: some View {
        NavigationStack {
            List {
                banners
                arrival
                place
                danger
                missions
                guides
                if let problem = model.problem { StatusText(line: problem) }
            }
            .navigationTitle(words("here_title"))
            .refreshable { await model.fetch() }
            .searchable(text: $model.query, prompt: words("here_guides_search"))
            .onChange(of: model.query) { Task { await model.search() } }
            .sheet(item: article) { Article(guide: $0) }
        }
        .task { await model.refresh() }
    }

    @ViewBuilder private var arrival: some View {
        if let arrival = model.arrival {
            Section {
                StatusText(line: arrival).font(.headline)
                Button(words("here_arrival_seen")) { Task { await model.arrivalSeen() } }
            }
        }
    }

    private var place: some View {
        Section {
            if let country = model.country { Text(words.country(country)).font(.title2) }
            StatusText(line: model.basis)
            if let candidates = model.candidates { StatusText(line: candidates) }
            Button(words("here_position_ask")) { Task { await locate() } }
            if let line = model.locating.line { StatusText(line: line) }
        } footer: {
            Text(words("here_position_why"))
        }
    }

    private var danger: some View {
        Section(words("here_level_title")) {
            StatusText(line: model.level).font(.headline)
            ForEach(model.alerts) { alert in
                DisclosureGroup(alert.headline) {
                    ForEach(alert.text, id: \.self) { Text($0) }
                    if let level = alert.level { Text(words(level)) }
                    Text(words(alert.sent)).font(.footnote)
                    Text(words(alert.until)).font(.footnote)
                }
            }
            if model.alerts.isEmpty { Text(words("here_alerts_none")) }
            StatusText(line: model.asOf).font(.footnote)
            Button(words("here_refresh")) { Task { await model.fetch() } }
        }
    }

    @ViewBuilder private var missions: some View {
        if model.missions.isEmpty {
            Section(words("here_mission_title")) { Text(words("here_mission_none")) }
        }
        ForEach(model.missions) { mission in
            Section(words(mission.title)) {
                Text(mission.name).font(.headline)
                if let address = mission.address { Text(address) }
                if let distance = mission.distance { Text(words(distance)) }
                ForEach(mission.phones) { CallButton(title: words($0.line), number: $0.number) }
                Text(words(mission.age)).font(.footnote)
            }
        }
    }

    private var guides: some View {
        Section(words("here_guides_title")) {
            ForEach(model.guides, id: \.id) { guide in
                Button {
                    Task { await model.read(guide) }
                } label: {
                    VStack(alignment: .leading) {
                        Text(guide.title)
                        Text(guide.excerpt).font(.footnote).foregroundStyle(.secondary)
                    }
                }
            }
            if model.guides.isEmpty { Text(words("here_guides_none")) }
        }
    }

    private var article: Binding<ArticleItem?> {
        Binding {
            model.article.map(ArticleItem.init)
        } set: {
            if $0 == nil { model.closeArticle() }
        }
    }

    private func locate() async {
        if platform.location.access.authorization == .notDetermined {
            platform.location.ask()
            return  // the traveler answers iOS first, and touches again
        }
        await model.locate(access: platform.location.access) {
            await platform.location.current()
        }
    }
}

struct ArticleItem: Identifiable {
    let guide: GuideArticle
    var id: String { guide.id }

    init(_ guide: GuideArticle) { self.guide = guide }
}

private struct Article: View {
    let guide: ArticleItem
    @Environment(\.dismiss) private var dismiss
    private let words = Words.app

    var body: some View {
        NavigationStack {
            ScrollView { Text(guide.guide.body).padding() }
                .navigationTitle(guide.guide.title)
                .toolbar { Button(words("action_close")) { dismiss() } }
        }
    }
}
