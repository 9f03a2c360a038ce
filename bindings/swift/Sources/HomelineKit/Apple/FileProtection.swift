// Data protection and backup of Homeline's directory on iOS.
#if canImport(Darwin)
    import Foundation

    /// Puts `Config.directory` under the protection that Homeline needs.
    public enum FileProtection {
        /// Makes the directory where there is none, opens it from boot on, keeps the record
        /// back until the first unlock, and takes all of it out of backups. Call it before
        /// each `open`, for new files take the directory's class, and after it, for iOS
        /// drops the mark for backups from a directory that was replaced.
        ///
        /// Errors: Foundation's, where the directory cannot be made or marked. Open
        /// Homeline all the same: it says by itself what does not work.
        public static func apply(to directory: URL) throws {
            let files = FileManager.default
            try files.createDirectory(
                at: directory, withIntermediateDirectories: true,
                attributes: attributes(.open))
            try files.setAttributes(attributes(.open), ofItemAtPath: directory.path)
            for name in try files.contentsOfDirectory(atPath: directory.path) {
                try files.setAttributes(
                    attributes(.ofFile(name)),
                    ofItemAtPath: directory.appendingPathComponent(name).path)
            }
            var marked = directory
            var values = URLResourceValues()
            values.isExcludedFromBackup = true
            try marked.setResourceValues(values)
        }

        private static func attributes(
            _ protection: ProtectionClass
        ) -> [FileAttributeKey: Any] {
            #if os(macOS)
                [:]
            #else
                switch protection {
                case .open: [.protectionKey: FileProtectionType.none]
                case .untilFirstUnlock:
                    [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
                }
            #endif
        }
    }
#endif
