//! What people write, for benches: notes in Chinese and English of 60 to 200 bytes,
//! each put together of parts of a sentence, with names, numbers and places that
//! change. About two in a hundred thousand are the same. They share no sentence with
//! the samples of `tests/dictionary.py`, so no dictionary knows them by heart.

use crate::chance::Chance;

const WHO: [&str; 12] = [
    "我和同事",
    "我妈妈",
    "我室友小陈",
    "我们旅行团",
    "两个学生",
    "我先生",
    "My sister",
    "Our driver",
    "Two of my classmates",
    "An old man from our group",
    "My roommate",
    "The boy next to me",
];

const WHAT_ZH: [&str; 16] = [
    "在市场被摩托车撞倒",
    "从台阶上滚下来",
    "一直吐，站不起来",
    "被困在缆车里",
    "找不到回营地的路",
    "在边检被扣住了",
    "晕过去又醒过来",
    "的背包连同证件被抢",
    "说看东西发黑",
    "在渡轮上走散了",
    "被狗咬伤小腿",
    "腰被石头砸到",
    "烧到四十度",
    "坐的大巴冲下路基",
    "挨了打，鼻子出血",
    "的氧气快用光了",
];

const WHAT_EN: [&str; 16] = [
    "was hit by a scooter near the bazaar",
    "fell off the ladder and hurt the back",
    "keeps vomiting since lunch",
    "is stuck in the cable car",
    "did not come back from the dive",
    "was held at the border post",
    "fainted twice in the queue",
    "had the bag with all papers snatched",
    "sees black spots and is dizzy",
    "went missing on the ferry",
    "got bitten on the calf by a stray",
    "lies under a fallen shelf",
    "runs a fever of forty",
    "sits in a bus that left the road",
    "was beaten, the nose bleeds",
    "has an oxygen bottle that is nearly empty",
];

const WHERE: [&str; 14] = [
    "老城南门外",
    "二号码头",
    "青年旅舍后院",
    "机场T2到达层",
    "半山腰的茶馆",
    "学校体育馆",
    "behind the spice market",
    "pier 4",
    "km 37 of the coast road",
    "platform 9",
    "the old fort",
    "hostel kitchen",
    "gate B12",
    "camp two",
];

const NEED: [&str; 14] = [
    "能不能派车过来",
    "请带担架",
    "最好有会当地话的人",
    "帮忙转告我舅舅",
    "需要轮椅",
    "哪家医院收外国人？",
    "can somebody bring bandages",
    "tell my uncle please",
    "which clinic is open at night?",
    "we can wait until sunset",
    "please answer by text, calls fail",
    "bring a lamp",
    "the shop owner lets us sit inside",
    "我们先躲到天亮",
];

/// The note of a number; the same number is the same note.
pub fn note(number: u64) -> String {
    let mut chance = Chance::new(number);
    let mut pick = |from: &'static [&'static str]| {
        from.get(chance.below(from.len()))
            .copied()
            .unwrap_or_default()
    };
    let who = pick(&WHO);
    let chinese = !who.is_ascii();
    let what = if chinese {
        pick(&WHAT_ZH)
    } else {
        pick(&WHAT_EN)
    };
    let gap = if chinese { "" } else { " " };
    let (place, need, more) = (pick(&WHERE), pick(&NEED), pick(&NEED));
    let room = chance.below(8_000);
    let people = chance.below(9) + 1;
    format!("{who}{gap}{what}, {place} {room}。{need}; {more} ({people})")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn notes_are_varied_and_of_a_messages_length() {
        let notes: Vec<String> = (0..1_000).map(super::note).collect();
        let different: HashSet<&String> = notes.iter().collect();
        assert!(different.len() > 995, "{}", different.len());
        assert!(notes.iter().all(|note| (50..250).contains(&note.len())));
        assert!(notes.iter().filter(|note| note.starts_with("我")).count() > 200);
    }
}
