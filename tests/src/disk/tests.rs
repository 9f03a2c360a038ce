use super::*;

fn write(path: &str, at: usize, bytes: &[u8]) -> Event {
    Event::Write {
        path: path.into(),
        at,
        bytes: bytes.to_vec(),
    }
}

fn disk(events: &[Event]) -> Disk {
    let empty = tempfile::tempdir().unwrap();
    let mut disk = Disk::holding(empty.path()).unwrap();
    events.iter().for_each(|event| disk.happens(event));
    disk
}

fn content(image: &Image, path: &str) -> Option<Vec<u8>> {
    image.get(path).cloned().flatten()
}

#[test]
fn what_is_synced_with_its_name_is_certain() {
    let disk = disk(&[
        Event::Make("a".into()),
        write("a", 0, b"one"),
        Event::Sync("a".into()),
        Event::Sync(String::new()),
        write("a", 0, b"two"),
    ]);
    assert_eq!(content(&disk.cut(Fate::Lost), "a").unwrap(), b"one");
    assert_eq!(content(&disk.cut(Fate::Kept), "a").unwrap(), b"two");
}

#[test]
fn a_name_is_uncertain_until_its_folder_is_synced() {
    let made = [
        Event::MakeFolder("f".into()),
        Event::Make("f/a".into()),
        write("f/a", 0, b"one"),
        Event::Sync("f/a".into()),
        Event::Sync("f".into()),
    ];
    let mut disk = disk(&made);
    // The folder's own name is not.
    assert!(!disk.cut(Fate::Lost).contains_key("f"));
    assert!(!disk.cut(Fate::Lost).contains_key("f/a"));
    disk.happens(&Event::Sync(String::new()));
    assert_eq!(content(&disk.cut(Fate::Lost), "f/a").unwrap(), b"one");
    disk.happens(&Event::Rename {
        from: "f/a".into(),
        to: "f/b".into(),
    });
    assert!(disk.cut(Fate::Lost).contains_key("f/a"));
    assert!(disk.cut(Fate::Kept).contains_key("f/b"));
    // A write after a rename is one to the same file.
    disk.happens(&write("f/b", 3, b"!"));
    assert_eq!(
        content(&disk.cut(Fate::Without(0)), "f/a").unwrap(),
        b"one!"
    );
}

#[test]
fn a_torn_write_changes_nothing_beside_it() {
    let mut disk = disk(&[
        Event::Make("a".into()),
        write("a", 0, &[1; 4_096]),
        Event::Sync("a".into()),
        Event::Sync(String::new()),
    ]);
    disk.happens(&write("a", 1_000, &[2; 2_000]));
    let mut torn = 0;
    for seed in 0..100 {
        let content = content(&disk.cut(Fate::Chance(Chance::new(seed))), "a").unwrap();
        assert_eq!(content.len(), 4_096);
        assert!(content[..1_000].iter().all(|byte| *byte == 1));
        assert!(content[3_000..].iter().all(|byte| *byte == 1));
        let middle = &content[1_000..3_000];
        torn += usize::from(middle.contains(&1) && middle.contains(&2));
    }
    assert!(torn > 10, "{torn}");
}

#[test]
fn every_single_change_can_be_the_one_that_is_kept() {
    let disk = disk(&[
        Event::Make("a".into()),
        write("a", 0, b"one"),
        write("a", 3, b"two"),
    ]);
    assert_eq!(disk.uncertain(), 3);
    assert_eq!(content(&disk.cut(Fate::Only(0)), "a").unwrap(), b"");
    assert!(!disk.cut(Fate::Only(1)).contains_key("a"));
    assert_eq!(
        content(&disk.cut(Fate::Without(1)), "a").unwrap(),
        b"\0\0\0two"
    );
}
