import Foundation
import HomelineKit

/// Files that follow a report.
struct AttachmentVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "attach": attach,
            // In the order in which they were attached.
            "attachments": {
                let list = try await attachments().list(report: player.named($0, "of"))
                try expect(list.map { snake($0.state) }, is: $0.required("states"))
                try $0.expect("names", list.compactMap(\.name))
            },
            // What the platform says of the link of now.
            "link_cost": { try await attachments().linkIs(named($0.required("cost"))) },
            "send_over": {
                let set = try await attachments().setSendOver(
                    attachment: player.named($0, "of"), over: named($0.required("over")))
                try expect(set, is: true)
            },
            "remove_attachment": {
                let removed = try await attachments().remove(attachment: player.named($0, "of"))
                try expect(removed, is: $0.required("removed"))
            },
            // The traveler's file, to the last byte; without `bytes`, none is whole.
            "desk_attachment": {
                let bytes: Int? = try $0.optional("bytes")
                let file = try player.stage.attachment(player.named($0, "of"))
                if file != bytes.map(noise) { throw Unexpected("another file at the desk") }
            },
        ]
    }

    private func attachments() throws -> Attachments {
        try player.home().attachments
    }

    /// A file is attached and deleted at once; or what is in memory.
    private func attach(_ step: Step) async throws {
        let report = try player.named(step, "to")
        let bytes = noise(try step.required("bytes"))
        let info = AttachmentInfo(
            mediaType: try step.required("media_type"),
            name: try step.optional("name"),
            sendOver: try step.named("over"))
        let inMemory: Bool = try step.optional("in_memory") ?? false
        let id: String
        if inMemory {
            id = try await attachments().attachBytes(report: report, bytes: bytes, info: info)
        } else {
            let file = try player.phone().file
            try bytes.write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            id = try await attachments().attachFile(report: report, path: file.path, info: info)
        }
        if let other: String = try step.optional("same_as") {
            try expect(id, is: player.named(other))
        }
        try player.keep(id, as: step)
    }
}

/// The file of so many bytes: each player makes its own, and compares.
private func noise(_ length: Int) -> Data {
    var state: UInt32 = 7
    return Data(
        (0..<length).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        })
}
