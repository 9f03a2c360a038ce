//! A model of what a disk holds after a power cut.
//!
//! A write is certain only once its file was synced; a name only once its folder
//! was. Until then the disk may hold it, or not, or the half of it, and in no
//! order: whatever POSIX does not forbid, which is more than any one file system
//! does. A write is torn at sectors of 512 bytes, and the sector that was being
//! written may hold anything, but nothing beside it changes (what SQLite calls
//! "powersafe overwrite").

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::chance::Chance;
use crate::strace::Event;

const SECTOR: usize = 512;

/// The files and folders of a disk at one moment; a folder has no bytes.
pub type Image = BTreeMap<String, Option<Vec<u8>>>;

/// What is certain on a disk, and what is not yet.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    /// The names as the running system sees them.
    seen: BTreeMap<String, Node>,
    /// The names that are certain.
    certain: BTreeMap<String, Node>,
    /// What happened to names since, in order.
    names: Vec<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    certain: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Clone)]
enum Name {
    Add(String, Node),
    Move(String, String),
    Remove(String),
}

/// Which of the uncertain changes the disk holds. Changes are counted through all
/// names, then through all files.
#[derive(Debug, Clone)]
pub enum Fate {
    /// None of them.
    Lost,
    /// All of them.
    Kept,
    /// This one alone.
    Only(usize),
    /// All but this one.
    Without(usize),
    /// Each by chance, whole, not at all or torn.
    Chance(Chance),
}

enum Part {
    Whole,
    None,
    Torn,
}

impl Fate {
    fn part(&mut self, number: usize) -> Part {
        let whole = match self {
            Self::Lost => false,
            Self::Kept => true,
            Self::Only(only) => *only == number,
            Self::Without(without) => *without != number,
            Self::Chance(chance) => match chance.below(3) {
                0 => return Part::Torn,
                other => other == 1,
            },
        };
        if whole { Part::Whole } else { Part::None }
    }
}

impl Disk {
    /// A disk that holds what is in `folder` now, all of it certain.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn holding(folder: &Path) -> io::Result<Self> {
        let mut disk = Self::default();
        disk.certain.insert(String::new(), Node::Folder);
        disk.fill(folder, "")?;
        disk.seen = disk.certain.clone();
        Ok(disk)
    }

    fn fill(&mut self, folder: &Path, below: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = match below {
                "" => name,
                below => format!("{below}/{name}"),
            };
            if entry.file_type()?.is_dir() {
                self.certain.insert(path.clone(), Node::Folder);
                self.fill(&entry.path(), &path)?;
            } else {
                self.files.push(File {
                    certain: fs::read(entry.path())?,
                    changes: Vec::new(),
                });
                self.certain.insert(path, Node::File(self.files.len() - 1));
            }
        }
        Ok(())
    }

    /// Something happens.
    pub fn happens(&mut self, event: &Event) {
        match event {
            Event::Make(path) => {
                if !self.seen.contains_key(path) {
                    self.files.push(File::default());
                    self.add(path, Node::File(self.files.len() - 1));
                }
            }
            Event::MakeFolder(path) => self.add(path, Node::Folder),
            Event::Write { path, at, bytes } => self.change(
                path,
                Change::Write {
                    at: *at,
                    bytes: bytes.clone(),
                },
            ),
            Event::Length { path, length } => self.change(path, Change::Length(*length)),
            Event::Sync(path) => match self.seen.get(path).copied() {
                Some(Node::File(number)) => {
                    if let Some(file) = self.files.get_mut(number) {
                        let changes = std::mem::take(&mut file.changes);
                        changes.iter().for_each(|it| it.whole(&mut file.certain));
                    }
                }
                Some(Node::Folder) => self.sync_folder(path),
                None => {}
            },
            Event::Rename { from, to } => {
                if let Some(node) = self.seen.remove(from) {
                    self.seen.insert(to.clone(), node);
                    self.names.push(Name::Move(from.clone(), to.clone()));
                }
            }
            Event::Remove(path) => {
                self.seen.remove(path);
                self.names.push(Name::Remove(path.clone()));
            }
            Event::Said(_) => {}
        }
    }

    /// How many changes are uncertain now.
    pub fn uncertain(&self) -> usize {
        self.names.len()
            + self
                .files
                .iter()
                .map(|file| file.changes.len())
                .sum::<usize>()
    }

    /// What the disk holds when the power is cut now.
    pub fn cut(&self, mut fate: Fate) -> Image {
        let mut names = self.certain.clone();
        let mut number = 0;
        for name in &self.names {
            // A name is there or not: a folder's entry is never torn.
            match fate.part(number) {
                Part::Whole | Part::Torn => name.apply(&mut names),
                Part::None => {}
            }
            number += 1;
        }
        let mut contents = Vec::new();
        for file in &self.files {
            let mut content = file.certain.clone();
            for change in &file.changes {
                match (fate.part(number), &mut fate) {
                    (Part::Torn, Fate::Chance(chance)) => change.torn(&mut content, chance),
                    (Part::Whole | Part::Torn, _) => change.whole(&mut content),
                    (Part::None, _) => {}
                }
                number += 1;
            }
            contents.push(content);
        }
        names
            .iter()
            .filter(|(path, _)| reachable(path, &names))
            .map(|(path, node)| {
                let content = match node {
                    Node::Folder => None,
                    Node::File(number) => contents.get(*number).cloned(),
                };
                (path.clone(), content)
            })
            .collect()
    }

    fn add(&mut self, path: &str, node: Node) {
        self.seen.insert(path.to_owned(), node);
        self.names.push(Name::Add(path.to_owned(), node));
    }

    fn change(&mut self, path: &str, change: Change) {
        if let Some(Node::File(number)) = self.seen.get(path)
            && let Some(file) = self.files.get_mut(*number)
        {
            file.changes.push(change);
        }
    }

    fn sync_folder(&mut self, folder: &str) {
        for name in std::mem::take(&mut self.names) {
            if parent(name.path()) == Some(folder) {
                name.apply(&mut self.certain);
            } else {
                self.names.push(name);
            }
        }
    }
}

impl Name {
    fn path(&self) -> &str {
        match self {
            Self::Add(path, _) | Self::Move(path, _) | Self::Remove(path) => path,
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Self::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Move(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

impl Change {
    fn whole(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => lay(content, *at, bytes),
            Self::Length(length) => content.resize(*length, 0),
        }
    }

    /// Some of its sectors; the one that was being written holds anything.
    fn torn(&self, content: &mut Vec<u8>, chance: &mut Chance) {
        let Self::Write { at, bytes } = self else {
            return self.whole(content);
        };
        let (mut at, mut rest) = (*at, bytes.as_slice());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            match chance.below(8) {
                0 => {
                    let anything: Vec<u8> = piece.iter().map(|_| low_byte(chance.bits())).collect();
                    lay(content, at, &anything);
                }
                1..=3 => {}
                _ => lay(content, at, piece),
            }
            at += piece.len();
            rest = after;
        }
    }
}

fn low_byte(bits: u64) -> u8 {
    let [low, ..] = bits.to_le_bytes();
    low
}

fn lay(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

fn parent(path: &str) -> Option<&str> {
    match path {
        "" => None,
        path => Some(path.rsplit_once('/').map_or("", |(parent, _)| parent)),
    }
}

/// Whether all folders above it are there.
fn reachable(path: &str, names: &BTreeMap<String, Node>) -> bool {
    std::iter::successors(parent(path), |path| parent(path))
        .all(|folder| names.get(folder) == Some(&Node::Folder))
}

/// Writes an image into a folder, which is made.
///
/// # Errors
/// It cannot be written.
pub fn lay_down(image: &Image, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // In order of their names: a folder comes before what is in it.
    for (path, content) in image {
        match content {
            None => fs::create_dir_all(folder.join(path))?,
            Some(content) => fs::write(folder.join(path), content)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
