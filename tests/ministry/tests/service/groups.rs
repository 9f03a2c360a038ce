//! Groups and cards as phones made by hand send them: who may upload what, and
//! which words count.

use crate::phone::{Phone, Post, id};
use homeline::registration::groups::wire::{Document, Person};
use homeline::registration::groups::{GroupDetails, GroupKind};
use homeline::sync::protocol::{
    Base64, Content, EnvelopeOutcome, Group, GroupLeave, GroupPerson, SealedEnvelope,
};
use ministry::GroupView;
use uuid::Uuid;

const SALT: [u8; 16] = [3; 16];

/// The id by the words of the OpenAPI document.
fn group_of(leader: &Phone, salt: [u8; 16]) -> Uuid {
    let name = [
        b"homeline/group/v1\0".as_slice(),
        &leader.signing_key(),
        &leader.agreement,
        &salt,
    ]
    .concat();
    let hash = ring::digest::digest(&ring::digest::SHA256, &name);
    let mut bytes: [u8; 16] = hash.as_ref()[..16].try_into().unwrap();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Uuid::from_bytes(bytes)
}

/// postcard: a signed integer, zigzag, as a varint.
fn varint(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

/// postcard: a text shorter than 128 bytes.
fn text(words: &str) -> Vec<u8> {
    [&[u8::try_from(words.len()).unwrap()], words.as_bytes()].concat()
}

fn entry(member: &Phone, group: Uuid, serial: i64, name: &str, number: &str) -> Base64 {
    let body = [
        group.as_bytes().as_slice(),
        &member.signing_key(),
        &varint(serial),
        &text(name),
        &[0],
        &[1],
        &text("CHN"),
        &text(number),
        &text("2026-01"),
    ]
    .concat();
    member.token("homeline/entry/v1", &body)
}

fn leave(member: &Phone, group: Uuid, serial: i64) -> Base64 {
    let body = [
        group.as_bytes().as_slice(),
        &member.signing_key(),
        &varint(serial),
    ]
    .concat();
    member.token("homeline/leave/v1", &body)
}

fn upload(leader: &Phone, version: u64, entries: Vec<Base64>) -> Group {
    Group {
        id: group_of(leader, SALT),
        version,
        salt: Base64(SALT.to_vec()),
        signing_key: Base64(leader.signing_key().to_vec()),
        details: GroupDetails {
            name: "丝路之旅".into(),
            kind: GroupKind::Tour,
            agency: None,
            first_day: Some("2026-05-01".into()),
            last_day: Some("2026-05-10".into()),
        },
        closed_ms: None,
        members: (1..)
            .zip(entries)
            .map(|(number, entry)| GroupPerson {
                member: id(number),
                entries: vec![entry],
                by_hand: None,
            })
            .collect(),
        leaves: Vec::new(),
    }
}

/// Sends contents as envelopes with new ids.
struct Line<'a> {
    post: &'a Post,
    next: std::cell::Cell<u128>,
}

impl Line<'_> {
    fn send(&self, phone: &Phone, content: &Content) -> EnvelopeOutcome {
        self.next.set(self.next.get() + 1);
        let sealed: SealedEnvelope = phone.seal(self.post, id(self.next.get()), content);
        phone.send_one(self.post, &sealed)
    }

    fn take(&self, phone: &Phone, content: &Content) {
        let outcome = self.send(phone, content);
        assert!(matches!(outcome, EnvelopeOutcome::Accepted { .. }));
    }

    fn refuse(&self, phone: &Phone, content: &Content, kind: &str) {
        match self.send(phone, content) {
            EnvelopeOutcome::Refused { problem } => {
                assert_eq!(problem.kind, format!("urn:homeline:problem:{kind}"));
            }
            _ => panic!("taken"),
        }
    }

    fn group(&self, group: Uuid) -> GroupView {
        let mut groups = self.post.ministry.groups().unwrap();
        groups.retain(|it| it.id == group);
        groups.remove(0)
    }

    fn names(&self, group: Uuid) -> Vec<String> {
        let members = self.group(group).members;
        members.into_iter().map(|member| member.name).collect()
    }
}

fn line(post: &Post) -> Line<'_> {
    Line {
        post,
        next: std::cell::Cell::new(1_000),
    }
}

#[test]
fn only_the_leaders_phone_uploads_a_group() {
    let post = Post::open();
    let line = line(&post);
    let (leader, thief) = (Phone::enrolled(1, &post), Phone::enrolled(2, &post));
    let member = Phone::new(3);
    let group = group_of(&leader, SALT);
    let whole = upload(&leader, 1, vec![entry(&member, group, 5, "李伟", "E1")]);
    line.refuse(&thief, &Content::Group(whole.clone()), "other-leader");
    // With the thief's own key in it the id does not come out either.
    let mut renamed = whole.clone();
    renamed.signing_key = Base64(thief.signing_key().to_vec());
    line.refuse(&thief, &Content::Group(renamed.clone()), "other-leader");
    renamed.salt = Base64(vec![1; 3]);
    line.refuse(&leader, &Content::Group(renamed), "other-leader");
    line.take(&leader, &Content::Group(whole.clone()));
    assert_eq!(line.names(group), ["李伟"]);
    // An entry cannot be moved to the thief's own group.
    let mut stolen = upload(&thief, 1, Vec::new());
    stolen.members = whole.members;
    let thiefs = stolen.id;
    line.take(&thief, &Content::Group(stolen));
    assert!(line.names(thiefs).is_empty());
    assert_eq!(line.group(thiefs).unverified, 1);
}

#[test]
fn what_does_not_verify_is_counted_and_not_shown() {
    let post = Post::open();
    let line = line(&post);
    let leader = Phone::enrolled(1, &post);
    let (one, two) = (Phone::new(3), Phone::new(4));
    let group = group_of(&leader, SALT);
    let good = entry(&one, group, 5, "李伟", "E 1");
    let mut altered = good.clone();
    *altered.0.last_mut().unwrap() ^= 1;
    let entries = vec![
        good.clone(),
        altered,
        // A leave is no entry, nor is a piece of one.
        leave(&two, group, 9),
        Base64(good.0[..60].to_vec()),
        Base64(Vec::new()),
        entry(&two, Uuid::nil(), 9, "x", "E9"),
        // The same again, and the same person by another phone: one member.
        good,
        entry(&two, group, 6, "Li Wei", "e1"),
    ];
    let mut whole = upload(&leader, 1, entries);
    whole.leaves = vec![Base64(vec![1, 2])];
    line.take(&leader, &Content::Group(whole));
    let view = line.group(group);
    assert_eq!(line.names(group), ["Li Wei"], "by the newer word");
    assert_eq!(view.unverified, 6);
    assert!(view.members[0].signed);
    // An older version changes nothing.
    line.take(&leader, &Content::Group(upload(&leader, 0, Vec::new())));
    assert_eq!(line.names(group), ["Li Wei"]);
}

#[test]
fn a_leave_wins_in_whatever_order_it_comes() {
    let post = Post::open();
    let line = line(&post);
    let leader = Phone::enrolled(1, &post);
    let (one, two) = (Phone::enrolled(3, &post), Phone::new(4));
    let group = group_of(&leader, SALT);
    let word = |bytes| Content::GroupLeave(GroupLeave { leave: bytes });
    let group_with = |version, serial| {
        let entries = vec![
            entry(&one, group, serial, "李伟", "E1"),
            entry(&two, group, 5, "张三", "E2"),
        ];
        Content::Group(upload(&leader, version, entries))
    };
    let mut forged = leave(&one, group, 7);
    forged.0[80] ^= 1;
    line.refuse(&one, &word(forged), "not-authentic");
    // Before the group itself; whoever carries it.
    line.take(&leader, &word(leave(&one, group, 7)));
    line.take(&leader, &group_with(1, 5));
    assert_eq!(line.names(group), ["张三"]);
    // A newer version that does not know of the leave, then a newer entry.
    line.take(&leader, &group_with(2, 6));
    assert_eq!(line.names(group), ["张三"]);
    line.take(&leader, &group_with(3, 8));
    assert_eq!(line.names(group), ["李伟", "张三"]);
    // The leave of before once more, in the leader's upload: it is over.
    let Content::Group(mut again) = group_with(4, 8) else {
        panic!()
    };
    again.leaves = vec![leave(&one, group, 7), leave(&two, group, 6)];
    line.take(&leader, &Content::Group(again));
    assert_eq!(line.names(group), ["李伟"]);
    assert_eq!(line.group(group).left, 2);
    // What is left behind of who has left: no name.
    let Post {
        ministry,
        directory,
    } = post;
    ministry.stop();
    let file = std::fs::read(directory.path().join("ministry.db")).unwrap();
    let has = |name: &str| file.windows(name.len()).any(|part| part == name.as_bytes());
    assert!(has("李伟") && !has("张三"));
}

#[test]
fn a_person_in_two_groups_of_the_same_days_is_counted_once() {
    let post = Post::open();
    let line = line(&post);
    let (leader, other) = (Phone::enrolled(1, &post), Phone::enrolled(2, &post));
    let member = Phone::new(3);
    let group = group_of(&leader, SALT);
    line.take(
        &leader,
        &Content::Group(upload(
            &leader,
            1,
            vec![entry(&member, group, 5, "李伟", "E1")],
        )),
    );
    let mut second = upload(&other, 1, Vec::new());
    second.members = vec![GroupPerson {
        member: id(1),
        entries: Vec::new(),
        by_hand: Some(Person {
            name: "李伟".into(),
            phone: None,
            document: Some(Document {
                issuer: String::new(),
                number: "e 1".into(),
            }),
        }),
    }];
    let later = Content::Group(Group {
        version: 2,
        details: GroupDetails {
            first_day: Some("2026-06-01".into()),
            last_day: None,
            ..second.details.clone()
        },
        ..second.clone()
    });
    let id = second.id;
    line.take(&other, &Content::Group(second));
    let view = line.group(id);
    assert_eq!(
        (view.members[0].signed, view.members[0].also_in),
        (false, Some(group))
    );
    assert_eq!(line.group(group).members[0].also_in, None);
    line.take(&other, &later);
    assert_eq!(line.group(id).members[0].also_in, None, "another trip");
}
