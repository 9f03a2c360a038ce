import Foundation

/// Passes on what the library says has changed. It is told on the thread that made the change,
/// and only writes it down there.
final class ChangeFeed: ChangeListener, @unchecked Sendable {
    private let lock = NSLock()
    private var readers: [WeakReader] = []

    func changed(topic: Topic) {
        let readers = lock.withLock { self.readers.compactMap(\.reader) }
        for reader in readers { reader.add(topic) }
    }

    /// A reader of the topics; it has each of them to read at the start.
    func reader(of topics: [Topic]) -> Reader {
        let reader = Reader(topics)
        lock.withLock {
            readers.removeAll { $0.reader == nil }
            readers.append(WeakReader(reader))
        }
        return reader
    }

    deinit {
        for reader in readers { reader.reader?.end() }
    }

    /// Nobody ends a stream that is simply dropped: its reader goes by itself.
    private struct WeakReader {
        weak var reader: Reader?

        init(_ reader: Reader) { self.reader = reader }
    }

    /// What one stream has not read yet, each topic once.
    final class Reader: @unchecked Sendable {
        private let lock = NSLock()
        private let topics: Set<Topic>
        private var unread: [Topic]
        private var ended = false
        private var waiting: CheckedContinuation<Topic?, Never>?

        init(_ topics: [Topic]) {
            self.topics = Set(topics)
            unread = Topic.allCases.filter(Set(topics).contains)
        }

        func add(_ topic: Topic) {
            let waiting: CheckedContinuation<Topic?, Never>? = lock.withLock {
                guard topics.contains(topic), !ended, !unread.contains(topic) else { return nil }
                if self.waiting == nil { unread.append(topic) }
                defer { self.waiting = nil }
                return self.waiting
            }
            waiting?.resume(returning: topic)
        }

        /// The next topic; `nil` at the end.
        func next() async -> Topic? {
            await withCheckedContinuation { (done: CheckedContinuation<Topic?, Never>) in
                let ready: Topic?? = lock.withLock {
                    if ended { return .some(nil) }
                    if !unread.isEmpty { return unread.removeFirst() }
                    waiting = done
                    return nil
                }
                if let ready { done.resume(returning: ready) }
            }
        }

        func end() {
            let waiting = lock.withLock {
                ended = true
                defer { self.waiting = nil }
                return self.waiting
            }
            waiting?.resume(returning: nil)
        }
    }
}
