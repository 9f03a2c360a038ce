#!/usr/bin/env python3
"""Makes a dictionary for `core/src/sync/compress.rs`: writes samples of what phones
seal and has `zstd --train` learn from them.

    tests/dictionary.py FILE

The samples are the JSON forms of the contents with made-up values, notes in Chinese
and English among them. The notes of the bench (`tests/src/link/notes.rs`) share no
sentence with these: what it measures is not learned by heart.

`dictionary_1` was made by this and is frozen: both sides need the very same bytes.
Another one is another form of content with a number of its own.
"""

import base64
import json
import random
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

R = random.Random(1)

ZH = """我的护照丢了，请问怎么补办 钱包和手机都被偷了 我们的车翻了，有两个人受伤 需要救护车 请尽快联系我的家人
我发烧三天了，没有药 心脏不舒服，胸口很痛 地震后房子倒了，我们在外面 洪水来了，路断了，出不去 这里有枪声，我们躲在房间里
被警察带走了，不让打电话 我迷路了，不知道在哪里 孩子走失了，五岁，穿红色衣服 航班取消，机场关闭，没有地方住 手机快没电了
我在宾馆三楼，房间号 我们一共有四个人，一个老人 食物中毒，医院不收 被人跟踪，很害怕 翻译不在，听不懂他们说什么 受伤流血，止不住
骨折，不能走路 停电停水，外面很乱 请派人来接我们 我现在安全，在使馆附近 导游不见了 老板扣了我的护照，不让我离开 有人威胁我要钱
过敏，呼吸困难 糖尿病，胰岛素用完了 火灾，楼道里都是烟 船坏了，在海上漂 雪崩，同伴被埋 怀孕七个月，肚子痛 住在大学宿舍，学校附近
我是留学生，护照在学校 我在工地，工友受伤了 请通知我的妻子，电话 丈夫失去联系两天了 护照号码 签证过期 需要中文翻译 请打这个电话""".split()

EN = """My passport was stolen at the station|We had a car accident and two people are injured|Please send an ambulance to the hotel
I have chest pain and cannot breathe|There was an earthquake and the building is damaged|We are trapped by the flood, the bridge is gone
There is shooting outside, we are hiding in the room|The police have detained my friend|I am lost in the mountains, no water
My child is missing since this morning|The airport is closed and all flights are cancelled|My phone battery is almost empty
We are four people, one is elderly|I need medicine for diabetes|My leg is broken and I cannot walk|Someone is following me and I am afraid
The hospital does not accept my insurance|Please call my family|I am safe now, near the embassy|No power and no water since yesterday
They want money and took my documents|The guide has left us|I do not speak the language and need an interpreter|Fire on the second floor""".replace("\n", "|").split("|")

NAMES = "李伟 王芳 张敏 刘洋 陈静 杨磊 赵丽 黄强 周杰 吴娜".split()
PLACES = "Istanbul Bangkok Cairo Nairobi Lima Paris Manila Dubai Tashkent Sydney".split()


def some_id():
    number = R.getrandbits(128)
    if R.random() < 0.5:
        # UUIDv7: made on the phone, its time in front.
        number = (R.randrange(1_750_000_000_000, 1_850_000_000_000) << 80) | (number & ((1 << 76) - 1)) | (7 << 76)
    else:
        number = (number & ~(0xF << 76)) | (4 << 76)
    return str(uuid.UUID(int=number & ~(0b11 << 62) | (0b10 << 62)))


def clock():
    return {"wall_ms": R.randrange(1_750_000_000_000, 1_850_000_000_000), "monotonic_ms": R.randrange(10**9), "boot_id": some_id()}


def fix():
    made = {
        "position": {"datum": R.choice(("wgs84", "wgs84", "wgs84", "gcj02")), "latitude": round(R.uniform(-60, 70), R.choice((5, 6, 7))), "longitude": round(R.uniform(-180, 180), R.choice((5, 6, 7)))},
        "time_ms": R.randrange(1_750_000_000_000, 1_850_000_000_000),
        "accuracy_m": round(R.uniform(3, 100), 1),
        "source": R.choice(("gnss", "fused", "network")),
    }
    for key, value in (("altitude_m", round(R.uniform(-5, 3000), 1)), ("speed_mps", round(R.uniform(0, 30), 1)), ("heading_deg", round(R.uniform(0, 359), 1)), ("battery_percent", R.randrange(1, 101)), ("origin", "device")):
        if R.random() < 0.3:
            made[key] = value
    return made


def aged():
    return {"fix": fix(), "age_ms": R.randrange(1000, R.choice((60_000, 3_600_000, 86_400_000)))}


def note():
    parts = []
    for _ in range(R.randrange(0, 4)):
        parts.append(R.choice((R.choice(ZH) + R.choice("，。"), R.choice(EN) + ". ")))
        if R.random() < 0.3:
            parts.append(str(R.randrange(1, 100_000)))
    return "".join(parts).strip()


def vital():
    return {"ground": "vital_interest"}


def sos():
    report = {"type": "sos", "report": some_id(), "sequence": R.randrange(1, 400), "pressed": clock(), "kind": R.choice("medical crime accident disaster conflict detained lost other".split()), "note": note(), "note_cut": False}
    if R.random() < 0.6:
        report["people"] = R.randrange(1, 12)
    if R.random() < 0.8:
        report["battery_percent"] = R.randrange(1, 101)
    if R.random() < 0.9:
        report["position"] = aged()
    report["recent"] = [aged() for _ in range(R.randrange(0, 6))]
    if R.random() < 0.8:
        report["standing"] = some_id()
    report["ground"] = vital()
    return report


def phone():
    return f"+{R.choice((86, 1, 90, 66, 44))}{R.randrange(10**8, 10**11)}"


def traveler():
    return {
        "name": R.choice(NAMES), "kind": R.choice(({"kind": "tourist"}, {"kind": "student", "school": "University"}, {"kind": "worker", "employer": "Company"}, {"kind": "resident"})),
        "phone": phone(), "documents": [{"kind": "passport", "number": f"E{R.randrange(10**8)}", "country": "CN", "expires": f"203{R.randrange(10)}-0{R.randrange(1, 10)}-1{R.randrange(10)}"}],
        "latin_name": "LI WEI", "birth_date": f"19{R.randrange(50, 99)}-0{R.randrange(1, 10)}-1{R.randrange(10)}", "nationality": "CN", "languages": ["zh", "en"],
    }


def contact():
    return {"name": R.choice(NAMES), "phone": phone(), "relation": R.choice(("parent", "spouse", "child", "sibling", "friend", "colleague")), "languages": ["zh"], "may_be_told": ["emergency"]}


def stay():
    return {"country": R.choice(("TR", "TH", "EG", "KE", "PE", "FR")), "place": R.choice(PLACES), "from": "2026-10-01", "to": "2026-10-07", "lodging": "Hotel, Road 12"}


def trip():
    return {"title": "旅行", "departs": "2026-09-28", "returns": "2026-10-12", "stays": [stay() for _ in range(R.randrange(1, 4))]}


def standing():
    return {"type": "standing", "as_of": clock(), "traveler": traveler(), "contacts": [contact() for _ in range(R.randrange(1, 5))], "position": aged(), "trip": trip(), "confirmed_ms": clock()["wall_ms"], "consents": [{"purpose": "registration", "text_version": "2026-01"}]}


def profile():
    device = f"{R.getrandbits(128):032x}"
    stamp = lambda entity, key, value: {"entity": entity, "key": key, "value": value, "changed_ms": clock()["wall_ms"], "device": device}
    fields = [stamp("traveler", key, value) for key, value in traveler().items()]
    for _ in range(R.randrange(1, 4)):
        entity = f"contact/{some_id()}"
        fields += [stamp(entity, key, value) for key, value in contact().items()]
    fields += [stamp(f"trip/{some_id()}", key, value) for key, value in trip().items()]
    fields.append(stamp("consent/registration", "in_force", True))
    return {"type": "profile", "version": R.randrange(1, 99), "registration": some_id(), "fields": fields, "phones": {"device": device, "seen": 0}}


def positions():
    block = lambda: base64.b64encode(R.randbytes(R.randrange(100, 900))).decode()
    return {"type": "positions", "blocks": [block() for _ in range(R.randrange(1, 4))], "gaps": [{"from_ms": clock()["wall_ms"], "to_ms": clock()["wall_ms"], "cause": "unknown"}]}


def update():
    return {"type": "sos_update", "report": some_id(), "at": clock(), "position": aged()}


def cancel():
    return {"type": "sos_cancel", "report": some_id(), "at": clock()}


def medical():
    return {"type": "medical", "as_of": clock(), "card": {"blood_group": "a_positive", "allergies": ["青霉素"], "medication": ["insulin"], "conditions": ["糖尿病"], "notes": note(), "languages": ["zh", "en"]}, "ground": vital()}


KINDS = [(sos, 1200), (update, 150), (cancel, 60), (standing, 120), (medical, 60), (profile, 80), (positions, 30)]


def main(path):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for make, times in KINDS:
            for number in range(times):
                file = Path(folder, f"{make.__name__}{number}")
                content = make()
                text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
                if make is sos:
                    # Its envelope's id, which the envelope has already.
                    text = text.replace(content["report"], "\x01", 1)
                file.write_text(text)
                files.append(str(file))
        listed = Path(folder, "list")
        listed.write_text("\n".join(files))
        subprocess.run(["zstd", "-q", "--train", "--filelist", listed, "--maxdict=8192", "-o", path, "-f", "--dictID=1"], check=True)


main(*sys.argv[1:])
