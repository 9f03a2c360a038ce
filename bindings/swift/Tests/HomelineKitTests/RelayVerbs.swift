import Foundation
import HomelineKit

/// What phones carry for each other, as bytes and as texts to be scanned.
struct RelayVerbs {
    /// Bytes of a parcel, and of a bundle before its parcels.
    private let parcelBytes: UInt64 = 2_048
    private let beginBytes: UInt64 = 4
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "relay_export": export,
            "relay_import": {
                let kept = try player.named($0, "bundle")
                // Of what is no base64, the bytes of the text itself.
                let bundle = Data(base64Encoded: kept) ?? Data(kept.utf8)
                try await check($0, relay().import(bundle: bundle))
            },
            "relay_export_qr": exportQr,
            "relay_import_qr": importQr,
            "relay_status": status,
        ]
    }

    private func relay() throws -> Relay {
        try player.home().relay
    }

    /// `parcels`: at most so many; without it, as many as a bundle holds.
    private func export(_ step: Step) async throws {
        let parcels: UInt64? = try step.optional("parcels")
        let bundle =
            if let parcels {
                try await relay().export(limitBytes: beginBytes + parcels * parcelBytes)
            } else {
                try await relay().export()
            }
        try step.expect("empty", bundle.isEmpty)
        try player.keep(bundle.base64EncodedString(), as: step)
    }

    /// The texts are kept under one name, a line each.
    private func exportQr(_ step: Step) async throws {
        let limit: UInt32? = try step.optional("limit")
        let texts =
            if let limit {
                try await relay().exportQr(limitTexts: limit)
            } else {
                try await relay().exportQr()
            }
        try step.expect("texts", texts.count)
        try player.keep(texts.joined(separator: "\n"), as: step)
    }

    /// All texts are scanned, the last one first.
    private func importQr(_ step: Step) async throws {
        let texts = try player.named(step, "texts").split(separator: "\n")
        var whole: RelayImport?
        for (index, text) in texts.reversed().enumerated() {
            try expect(whole == nil, is: true)
            let scan = try await relay().importQr(text: String(text))
            try expect([Int(scan.scanned), Int(scan.total)], is: [index + 1, texts.count])
            whole = scan.import
        }
        guard let whole else { throw Unexpected("not whole") }
        try check(step, whole)
    }

    private func check(_ step: Step, _ outcome: RelayImport) throws {
        try step.expect("taken", outcome.taken)
        try step.expect("known", outcome.known)
        try step.expect("left_out", outcome.leftOut)
        try step.expect("receipts", outcome.receipts)
    }

    private func status(_ step: Step) async throws {
        let status = try await relay().status()
        try step.expect("own_waiting", status.ownWaiting)
        try step.expect("carried", status.carried)
        try step.expect("passed_on", status.passedOn)
        try step.expect("refused", status.refused)
    }
}
