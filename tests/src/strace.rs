//! What a process asks of the file system, seen by strace: the very calls of the
//! very library, with nothing of ours in between.
//!
//! [`events`] reads the trace of a process as what happened below one folder, in
//! order, with every byte that was written, and with each line that the process
//! said on its standard output. strace can also make calls fail, or kill the
//! process at one of them: see the arguments it takes.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

/// Every call that changes a file, a folder or what is durable of them. A call
/// that is missing here shows as a file that lacks bytes, and the test fails.
pub const CALLS: &str = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,\
    ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,\
    symlinkat,mkdir,mkdirat,rmdir,lseek,copy_file_range,sendfile,sync_file_range,sync,syncfs,\
    msync";

/// Whether strace is there. Where it is not, says on standard error that `test` is
/// skipped; the suite counts that line.
///
/// # Panics
/// It is missing in CI, which installs it.
pub fn at_hand(test: &str) -> bool {
    let there = Command::new("strace").arg("-V").output().is_ok();
    if !there {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no strace");
        // Past the capture of the test harness.
        let _ = writeln!(io::stderr(), "SKIP {test}: no strace");
    }
    there
}

/// Arguments that record a program into `trace`, to be followed by the program.
pub fn recording(trace: &Path) -> Vec<String> {
    let trace = trace.to_string_lossy().into_owned();
    let calls = format!("trace={CALLS}");
    [
        "-f",
        "-qq",
        "-y",
        "-xx",
        "-s",
        "16777216",
        "--seccomp-bpf",
        "-e",
        "signal=none",
        "-e",
        &calls,
        "-o",
        &trace,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Something that happened. Paths are relative to the folder that is watched.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A file was opened to be made if it is not there.
    Make(String),
    /// A folder was made.
    MakeFolder(String),
    /// Bytes were written at a place.
    Write {
        /// The file.
        path: String,
        /// Offset of the first byte.
        at: usize,
        /// What was written.
        bytes: Vec<u8>,
    },
    /// The file has this length now.
    Length {
        /// The file.
        path: String,
        /// Its length.
        length: usize,
    },
    /// A file or a folder was synced.
    Sync(String),
    /// A file has another name.
    Rename {
        /// Its name before.
        from: String,
        /// Its name now.
        to: String,
    },
    /// A name is gone.
    Remove(String),
    /// The process wrote to its standard output.
    Said(String),
}

impl fmt::Debug for Event {
    /// Without the bytes, which are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make(path) => write!(f, "make {path}"),
            Self::MakeFolder(path) => write!(f, "make folder {path}"),
            Self::Write { path, at, bytes } => {
                write!(f, "write {} bytes of {path} at {at}", bytes.len())
            }
            Self::Length { path, length } => write!(f, "cut {path} to {length}"),
            Self::Sync(path) => write!(f, "sync {path}"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Self::Remove(path) => write!(f, "remove {path}"),
            Self::Said(text) => write!(f, "say {text:.60}"),
        }
    }
}

/// Reads a trace that [`recording`] has written, as far as it is about `root`.
///
/// # Errors
/// A line of it is not understood: then nothing is proved by the rest.
pub fn events(trace: &str, root: &Path) -> io::Result<Vec<Event>> {
    let mut reader = Reader {
        root: root.to_string_lossy().into_owned(),
        offsets: HashMap::new(),
        events: Vec::new(),
    };
    // A call of one thread may be cut in two by one of another.
    let mut begun: HashMap<&str, String> = HashMap::new();
    for line in trace.lines() {
        let (process, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(process, head.to_owned());
            continue;
        }
        let whole = match rest.split_once(" resumed>") {
            Some((_, tail)) if rest.starts_with("<... ") => {
                begun.remove(process).unwrap_or_default() + tail
            }
            _ => rest.to_owned(),
        };
        reader
            .line(&whole)
            .ok_or_else(|| io::Error::other(format!("not understood: {whole:.200}")))?;
    }
    Ok(reader.events)
}

struct Reader {
    root: String,
    /// Where the next plain write to a descriptor goes.
    offsets: HashMap<String, usize>,
    events: Vec<Event>,
}

impl Reader {
    /// One whole call; `None` where it is not understood.
    fn line(&mut self, line: &str) -> Option<()> {
        let Some((call, rest)) = line.split_once('(') else {
            return Some(());
        };
        // `+++ exited with 0 +++` and calls that never returned.
        let Some((arguments, result)) = rest.rsplit_once(") = ").or_else(|| {
            // strace pads short calls: `fsync(3</x>)   = 0`.
            let (before, result) = rest.rsplit_once(" = ")?;
            Some((before.trim_end().strip_suffix(')')?, result))
        }) else {
            return Some(());
        };
        if result.starts_with('-') || result.starts_with('?') {
            return Some(());
        }
        let arguments: Vec<&str> = arguments.split(", ").collect();
        self.call(call, &arguments, result)
    }

    fn call(&mut self, call: &str, arguments: &[&str], result: &str) -> Option<()> {
        let argument = |number: usize| arguments.get(number).copied();
        match call {
            "open" | "openat" | "creat" => {
                self.offsets.insert(descriptor(result)?.to_owned(), 0);
                if let Some(path) = self.below(path_of(result)?) {
                    let all = arguments.join(" ");
                    // The trace of an open tells nothing of what was there before.
                    if all.contains("O_CREAT") || call == "creat" {
                        self.events.push(Event::Make(path.clone()));
                    }
                    if all.contains("O_APPEND") {
                        return None;
                    }
                    if all.contains("O_TRUNC") || call == "creat" {
                        self.events.push(Event::Length { path, length: 0 });
                    }
                }
            }
            "write" | "pwrite64" => {
                self.write(call, argument(0)?, argument(1)?, argument(3), result)?
            }
            "lseek" => {
                let at = result.parse().ok()?;
                self.offsets
                    .insert(descriptor(argument(0)?)?.to_owned(), at);
            }
            "fsync" | "fdatasync" => {
                if let Some(path) = self.below(path_of(argument(0)?)?) {
                    self.events.push(Event::Sync(path));
                }
            }
            "ftruncate" => {
                if let Some(path) = self.below(path_of(argument(0)?)?) {
                    let length = argument(1)?.parse().ok()?;
                    self.events.push(Event::Length { path, length });
                }
            }
            "rename" => {
                if let (Some(from), Some(to)) = (
                    self.below(text(argument(0)?)?),
                    self.below(text(argument(1)?)?),
                ) {
                    self.events.push(Event::Rename { from, to });
                }
            }
            "unlink" | "rmdir" => {
                if let Some(path) = self.below(text(argument(0)?)?) {
                    self.events.push(Event::Remove(path));
                }
            }
            "mkdir" => {
                if let Some(path) = self.below(text(argument(0)?)?) {
                    self.events.push(Event::MakeFolder(path));
                }
            }
            // Whatever else touches our files must be taught to this reader first.
            _ => return (!self.touches(arguments)).then_some(()),
        }
        Some(())
    }

    fn write(
        &mut self,
        call: &str,
        file: &str,
        bytes: &str,
        at: Option<&str>,
        result: &str,
    ) -> Option<()> {
        let number = descriptor(file)?;
        let written: usize = result.parse().ok()?;
        let mut bytes = unescape(bytes)?;
        if bytes.len() < written {
            return None;
        }
        bytes.truncate(written);
        if number == "1" {
            self.events
                .push(Event::Said(String::from_utf8_lossy(&bytes).into_owned()));
            return Some(());
        }
        let Some(path) = path_of(file).and_then(|path| self.below(path)) else {
            return Some(());
        };
        let at = match call {
            "pwrite64" => at?.parse().ok()?,
            _ => {
                let offset = self.offsets.entry(number.to_owned()).or_default();
                let at = *offset;
                *offset += written;
                at
            }
        };
        self.events.push(Event::Write { path, at, bytes });
        Some(())
    }

    fn touches(&self, arguments: &[&str]) -> bool {
        arguments.iter().any(|argument| {
            let named = text(argument).is_some_and(|path| self.below(path).is_some());
            named || path_of(argument).is_some_and(|path| self.below(path).is_some())
        })
    }

    /// The path below the watched folder, without what needs not be watched: the
    /// index of a log is made anew from the log.
    fn below(&self, path: String) -> Option<String> {
        let below = path.strip_prefix(&self.root)?;
        let below = below.strip_prefix('/').unwrap_or(below);
        let gone = below.ends_with(" (deleted)") || below.ends_with("-shm");
        (!gone).then(|| below.to_owned())
    }
}

/// The number of `3<path>`.
fn descriptor(argument: &str) -> Option<&str> {
    argument.split('<').next()
}

/// The path of `3<path>`.
fn path_of(argument: &str) -> Option<String> {
    let (_, path) = argument.split_once('<')?;
    let path = path
        .strip_suffix('>')
        .or_else(|| path.strip_suffix(">(deleted)"))?;
    String::from_utf8(unescape_bare(path)?).ok()
}

fn text(argument: &str) -> Option<String> {
    String::from_utf8(unescape(argument)?).ok()
}

/// The bytes of `"\x2f\x74"`; `None` where it was cut.
fn unescape(argument: &str) -> Option<Vec<u8>> {
    unescape_bare(argument.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescape_bare(hex: &str) -> Option<Vec<u8>> {
    if !hex.starts_with("\\x") {
        return Some(hex.as_bytes().to_vec());
    }
    hex.split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read() {
        let trace = "\
7 openat(AT_FDCWD</>, \"\\x2f\\x72\\x2f\\x61\", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3<\\x2f\\x72\\x2f\\x61>
7 write(3<\\x2f\\x72\\x2f\\x61>, \"\\x41\\x42\", 2) = 2
8 fsync(3<\\x2f\\x72\\x2f\\x61> <unfinished ...>
7 write(3<\\x2f\\x72\\x2f\\x61>, \"\\x43\", 1) = 1
8 <... fsync resumed>)              = 0
7 openat(AT_FDCWD</>, \"\\x2f\\x72\\x2f\\x62\", O_RDONLY) = -1 ENOENT (No such file or directory)
7 rename(\"\\x2f\\x72\\x2f\\x61\", \"\\x2f\\x72\\x2f\\x62\") = 0
7 write(1<pipe:[5]>, \"\\x6f\\x6b\", 2) = 2
7 +++ exited with 0 +++
";
        let path = || "a".to_owned();
        let write = |at, bytes: &[u8]| Event::Write {
            path: path(),
            at,
            bytes: bytes.to_vec(),
        };
        let expected = [
            Event::Make(path()),
            Event::Length {
                path: path(),
                length: 0,
            },
            write(0, b"AB"),
            write(2, b"C"),
            Event::Sync(path()),
            Event::Rename {
                from: path(),
                to: "b".into(),
            },
            Event::Said("ok".into()),
        ];
        assert_eq!(events(trace, Path::new("/r")).unwrap(), expected);
    }

    #[test]
    fn a_call_that_is_not_known_and_touches_the_folder_is_an_error() {
        let trace =
            "7 linkat(AT_FDCWD</>, \"\\x2f\\x72\\x2f\\x61\", AT_FDCWD</>, \"\\x2f\\x7a\", 0) = 0\n";
        assert!(events(trace, Path::new("/r")).is_err());
        assert!(events(trace, Path::new("/q")).unwrap().is_empty());
    }
}
