// Me: registration, contacts, consents, export and erase.
import DemoModels
import HomelineKit
import SwiftUI

struct MeScreen: View {
    @Bindable var model: MeModel
    let platform: Platform
    let banners: BannerList
    @State private var contactName = ""
    @State private var contactPhone = ""
    @State private var contactRelation = Relation.parent
    @State private var asksToErase = false
    @State private var exported: ExportedFile?
    private let words = Words.app

    var body: some View {
        NavigationStack {
            Form {
                banners
                if let notice = model.notice { StatusText(line: notice) }
                registration
                contacts
                consents
                data
            }
            .navigationTitle(words("tab_me"))
        }
        .task { await model.refresh() }
    }

    private var registration: some View {
        Section {
            field("me_name", $model.form.name, "traveler.name")
            field("me_latin_name", $model.form.latinName, "traveler.latin_name")
            field("me_phone", $model.form.phone, "traveler.phone").keyboardType(.phonePad)
            field("me_birth_date", $model.form.birthDate, "traveler.birth_date")
                .keyboardType(.numbersAndPunctuation)
            Picker(words("me_kind"), selection: $model.form.kind) {
                ForEach(KindOfStay.allCases) { Text(words($0.line)).tag($0) }
            }
            switch model.form.kind {
            case .student: field("me_school", $model.form.place, "traveler.kind.school")
            case .postedWorker:
                field("me_employer", $model.form.place, "traveler.kind.employer")
            case .shortTrip, .longStay, .crew: EmptyView()
            }
            Button(words("action_save")) { Task { await model.save() } }
            if let card = model.card { StatusText(line: card) }
        } header: {
            Text(words("me_title"))
        } footer: {
            Text(words(model.isRegistered ? "me_registered_here" : "me_not_registered"))
                + Text(" ") + Text(words("me_goes_with_consent"))
        }
    }

    private var contacts: some View {
        Section(words("me_contacts_title")) {
            if model.contacts.isEmpty { Text(words("me_contacts_none")) }
            ForEach(model.contacts, id: \.id) { saved in
                LabeledContent(saved.contact.name, value: words(saved.contact.relation.line))
                    .swipeActions {
                        Button(words("action_remove"), role: .destructive) {
                            Task { await model.remove(saved) }
                        }
                        .accessibilityLabel(
                            words(Line("me_contact_remove", .text(saved.contact.name))))
                    }
            }
            field("me_contact_name", $contactName, "contact.name")
            field("me_contact_phone", $contactPhone, "contact.phone").keyboardType(.phonePad)
            Picker(words("me_contact_relation"), selection: $contactRelation) {
                ForEach(Relation.allCases, id: \.self) { Text(words($0.line)).tag($0) }
            }
            Button(words("action_add")) { Task { await addContact() } }
        }
    }

    private var consents: some View {
        Section {
            ForEach(model.consents) { consent in
                Toggle(isOn: binding(consent)) {
                    Text(words(consent.line))
                    Text(words(consent.state)).font(.footnote).foregroundStyle(.secondary)
                }
            }
        } header: {
            Text(words("me_consents_title"))
        } footer: {
            Text(words("me_consents_hint"))
        }
    }

    private var data: some View {
        Section {
            Button(words("me_export")) { Task { await export() } }
                .sheet(item: $exported) { ShareSheet(file: $0.url) }
            Button(words("me_erase"), role: .destructive) { asksToErase = true }
                .confirmationDialog(
                    words("me_erase_title"), isPresented: $asksToErase,
                    titleVisibility: .visible
                ) {
                    Button(words("me_erase_confirm"), role: .destructive) {
                        Task { await model.erase() }
                    }
                } message: {
                    Text(words("me_erase_hint"))
                }
            if let state = model.eraseState { StatusText(line: state) }
        } header: {
            Text(words("me_data_title"))
        } footer: {
            Text(words("me_export_hint"))
        }
    }

    @ViewBuilder
    private func field(_ key: String, _ text: Binding<String>, _ name: String) -> some View {
        TextField(words(key), text: text)
        if model.wrongField == name, let wrong = model.wrong {
            StatusText(line: wrong).foregroundStyle(.red)
        }
    }

    private func binding(_ consent: ConsentRow) -> Binding<Bool> {
        Binding {
            consent.isGiven
        } set: { given in
            Task {
                await model.set(consent.purpose, given: given)
                platform.location.follow(consent: model.sendsWhereabouts)
            }
        }
    }

    private func addContact() async {
        let taken = await model.add(
            name: contactName, phone: contactPhone, relation: contactRelation)
        if taken { (contactName, contactPhone) = ("", "") }
    }

    private func export() async {
        exported = await model.export(to: .temporaryDirectory).map(ExportedFile.init)
    }
}

private struct ExportedFile: Identifiable {
    let url: URL
    var id: URL { url }
}

/// iOS asks where the file shall go; then the copy of the app is deleted.
private struct ShareSheet: UIViewControllerRepresentable {
    let file: URL

    func makeUIViewController(context: Context) -> UIActivityViewController {
        let sheet = UIActivityViewController(activityItems: [file], applicationActivities: nil)
        sheet.completionWithItemsHandler = { _, _, _, _ in
            try? FileManager.default.removeItem(at: file)
        }
        return sheet
    }

    func updateUIViewController(_ controller: UIActivityViewController, context: Context) {}
}
