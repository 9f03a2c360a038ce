import Foundation
import HomelineKit
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The real ministry behind a network that a test can break. `tests/with-stage`
/// starts it and says in `HOMELINE_STAGE` where everything is.
struct Stage: Decodable {
    let ministryUrl: String
    let anchor: String
    let sealingKey: String
    let tlsRoot: String
    let hotlineFromHome: String
    let hotlineFromAbroad: String
    let smsNumbers: [String]
    let datagram: String
    let receiptKeys: [String]
    let control: String
    let desk: String
    let deskToken: String

    /// What the duty officer sees of a case.
    struct Case: Decodable {
        let id: String
        let report: String
        let state: String
        let kind: String?
        let traveler: Traveler?
        let dependents: [Person]?
        let contacts: [Person]
        let stay: PlannedStay?
        let medical: Medical?
        let position: Position?
        let note: String
        let timesReceived: UInt64
        let attachments: [Attachment]?
        let compact: Compact?

        struct Attachment: Decodable {}

        /// What came of it by text message or packet.
        struct Compact: Decodable {
            let channel: String
            let texts: [Part]

            struct Part: Decodable {
                let text: String?
            }
        }

        struct Person: Decodable {
            let name: String
        }

        struct Traveler: Decodable {
            let name: String
            let kind: Kind

            struct Kind: Decodable {
                let kind: String
            }
        }

        struct PlannedStay: Decodable {
            let stay: Stay?

            struct Stay: Decodable {
                let place: String
            }
        }

        struct Medical: Decodable {
            let card: Card

            struct Card: Decodable {
                let bloodGroup: String?
                let allergies: [String]?
            }
        }

        struct Position: Decodable {
            let latitude: Double
            let longitude: Double
        }
    }

    /// What the duty officer sees of a group.
    struct Group: Decodable {
        let id: String
        let name: String
        let members: [Case.Person]
        let left: UInt32
        let unverified: UInt32
    }

    private struct Cases: Decodable {
        let cases: [Case]
    }

    static func running() throws -> Stage {
        let line = try XCTUnwrap(
            ProcessInfo.processInfo.environment["HOMELINE_STAGE"],
            "HOMELINE_STAGE is not set: run tests/swift")
        return try decode(Stage.self, from: Data(line.utf8))
    }

    private static func decode<T: Decodable>(_ type: T.Type, from json: Data) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: json)
    }

    /// The config of a phone that keeps its files in `directory`; `channels`: of an app
    /// that knows all channels of the ministry from the beginning; `languages`: those of
    /// the phone.
    func config(
        directory: URL, channels: Bool = false, languages: [String] = []
    ) throws -> Config {
        Config(
            directory: directory.path,
            ministryUrl: ministryUrl,
            anchors: [try bytes(anchor)],
            sealingKey: try bytes(sealingKey),
            tlsRoots: [try bytes(tlsRoot)],
            hotline: Hotline(fromHome: hotlineFromHome, fromAbroad: hotlineFromAbroad),
            smsNumbers: channels ? smsNumbers : [],
            datagram: channels ? datagram : nil,
            receiptKeys: channels ? try receiptKeys.map(bytes) : [],
            languages: languages)
    }

    /// Gives the ministry a text message; the text that comes back, or an empty one.
    func deliverText(_ text: String) throws -> String {
        let reply = try post("\(control)/sms", Data(text.utf8))
        return String(decoding: reply, as: UTF8.self)
    }

    /// The file of an attachment as the duty officer gets it, if it is whole.
    func attachment(_ id: String) throws -> Data? {
        let request = try request("\(desk)/desk/api/attachments/\(id)")
        return try send(request, orNone: 404)
    }

    /// The ministry publishes `items`, in place of those that it had in that pack.
    func publish(_ pack: String, _ items: [Any]) throws {
        let body = try JSONSerialization.data(withJSONObject: items)
        _ = try post("\(control)/packs/\(pack)", body)
    }

    /// The newest version of a pack as a file, signed by the ministry.
    func packFile(_ pack: String) throws -> Data {
        try send(try request("\(control)/packs/\(pack)"))
    }

    /// Changes the network: `up`, `down`, `portal`, `packets` and so on.
    func link(_ network: String) throws {
        _ = try post("\(control)/link/\(network)", Data())
    }

    /// The cases that the duty officer sees for `report`.
    func cases(of report: String) throws -> [Case] {
        let answer = try send(try request("\(desk)/desk/api/cases"))
        return try Stage.decode(Cases.self, from: answer).cases.filter { $0.report == report }
    }

    /// The group as the duty officer sees it, if it was uploaded.
    func group(_ id: String) throws -> Group? {
        let answer = try send(try request("\(desk)/desk/api/groups"))
        return try Stage.decode([Group].self, from: answer).first { $0.id == id }
    }

    /// The duty officer takes the case.
    func acknowledge(_ id: String, officer: String, mission: String) throws {
        let body = try JSONEncoder().encode(["officer": officer, "mission": mission])
        _ = try post("\(desk)/desk/api/cases/\(id)/acknowledge", body)
    }

    private func post(_ url: String, _ body: Data) throws -> Data {
        var request = try request(url)
        request.httpMethod = "POST"
        request.httpBody = body
        return try send(request)
    }

    private func request(_ url: String) throws -> URLRequest {
        var request = URLRequest(url: try XCTUnwrap(URL(string: url)))
        request.timeoutInterval = 10
        request.setValue("Bearer \(deskToken)", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        return request
    }

    private func send(_ request: URLRequest) throws -> Data {
        guard let body = try send(request, orNone: nil) else { throw Unexpected("no answer") }
        return body
    }

    /// The body of the answer; none where its status is `none`. The completion runs on
    /// the session's own queue, so blocking is safe.
    private func send(_ request: URLRequest, orNone none: Int?) throws -> Data? {
        let outcome = Outcome()
        let done = DispatchSemaphore(value: 0)
        URLSession.shared.dataTask(with: request) { body, response, error in
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            if let error {
                outcome.result = .failure(error)
            } else if status == none {
                outcome.result = .success(nil)
            } else if (200...299).contains(status) {
                outcome.result = .success(body ?? Data())
            } else {
                outcome.result = .failure(Unexpected("\(request.url?.path ?? ""): \(status)"))
            }
            done.signal()
        }.resume()
        done.wait()
        return try outcome.result.get()
    }

    /// Written before the semaphore is signalled, read after: no race.
    private final class Outcome: @unchecked Sendable {
        var result: Result<Data?, any Error> = .failure(URLError(.unknown))
    }

    private func bytes(_ hex: String) throws -> Data {
        var rest = Substring(hex)
        var bytes = Data()
        while !rest.isEmpty {
            bytes.append(try XCTUnwrap(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

/// Something is not as a test expects it.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
