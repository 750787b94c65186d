"""Pure: which part of the body an image shows, by its codes and by words that describe it.

Defined terms of Body Part Examined: DICOM PS3.16 Annex L. Codes: SNOMED CT, and SRT (SNOMED RT) as
older devices send it. The words are English, Chinese and the commonest of German, French and
Spanish. A word for a head beats all others: "CT head and chest" shows a head. Views of the head
that are called by who described them (Waters, Towne, 华氏位, 柯氏位) count as words for it.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from services.privacy.words import words

WORD = re.compile(r"[a-z]+")


class Subject(NamedTuple):
    """``part`` is a defined term, "" when unknown.

    ``head``: a head is in it. ``near_head``: of a volume the face would be in it too.
    """

    part: str
    head: bool = False
    near_head: bool = False


HEAD = words(
    """
    HEAD SKULL BRAIN FACE EYE ORBIT NOSE SINUS EAR IAC JAW MANDIBLE MAXILLA TMJ TOOTH TEETH
    MOUTH TONGUE PITUITARY SELLA ZYGOMA HEADNECK CIRCLEOFWILLIS OPTICCANAL FOREHEAD CHEEK SCALP
    """
)
NEAR_HEAD = words(
    """
    NECK CSPINE CTSPINE CERVICAL CAROTID LARYNX PHARYNX THYROID WHOLEBODY SPINE
    """
)
PARTS = words(
    """
    CHEST ABDOMEN PELVIS TSPINE LSPINE LSSPINE SSPINE COCCYX SPINE CSPINE NECK SHOULDER CLAVICLE
    SCAPULA ARM HUMERUS ELBOW FOREARM WRIST HAND FINGER THUMB HIP LEG THIGH FEMUR KNEE PATELLA
    TIBIA ANKLE CALCANEUS FOOT TOE RIB STERNUM BREAST HEART LUNG LIVER KIDNEY SPLEEN PANCREAS
    AORTA BLADDER PROSTATE UTERUS EXTREMITY WHOLEBODY
    """
)

_HEAD_WORDS = words(
    """
    head heads skull brain brains face faces facial eye eyes orbit orbits orbital nose nasal
    sinus sinuses ear ears iac jaw mandible mandibular maxilla maxillary maxillofacial tmj tooth
    teeth dental mouth oral tongue pituitary sella stroke dementia hypophysis kopf schadel
    schaedel hirn gehirn gesicht auge tete crane cerveau visage oeil cabeza cara craneo cerebro
    ojo temporal parietal vertex petrous cochlea cochlear eyeball lacrimal cheek cheekbone chin lip
    lips palate gum gums molar molars premolar incisor incisors dentition denture tonsil tonsils
    ceph opg cbct waters towne townes caldwell schuller schueller stenvers rhese hirtz mayer smv
    submentovertex nnh nase nasennebenhohlen ohr zahn zahne kiefer unterkiefer oberkiefer
    felsenbein jochbein dent dents dentaire machoire nez oreille bouche senos diente dientes
    nariz oido boca selfie selfies portrait portraits passport mugshot headshot
    """
)
_PHOTOGRAPHS = words("photo photos photograph photographs photography foto fotos")
_HEAD_STEMS = (
    *words("""
    crani cereb neuro encephal cephal mening ventric panoram panorex orthopanto ortopanto bitewing
    periapic intraoral odont gnath occipit calvari sinusit sialo dacryo parotid adenoid nasophar
    ethmoid sphenoid orbit
    """),
)
_HEAD_WITHIN = words("cranial cerebral facial nasal maxill mandib mastoid zygom orbital")
_HEAD_SIGNS = words(
    """
    头 頭 颅 顱 脑 腦 面部 颜面 面颅 面骨 脸 臉 眼 眶 瞳 泪囊 泪道 鼻 耳 听道 听骨 颌 頜 牙 齿 齒
    口腔 唇 舌 腭 颏 根尖 咬翼 咬合 曲面 曲断 垂体 蝶鞍 鞍区 额 額 颧 顴 颞 顳 枕 顶骨 乳突 岩骨
    岩部 筛窦 蝶窦 腮 腺样体 扁桃体 人脸 面容 面貌 肖像 证件照 自拍 大头照
    华氏 華氏 柯氏 许氏 許氏 瓦氏 汤氏 湯氏 斯氏 梅氏 劳氏 勞氏
    """
)
_NEAR_WORDS = words(
    """
    neck cervical cspine carotid larynx pharynx thyroid wholebody hals cou cuello
    """
)
_NEAR_SIGNS = words("颈 頸 喉 咽 甲状腺 全身")
_WORDS = {
    "chest": "CHEST", "thorax": "CHEST", "thoracic": "CHEST", "lung": "CHEST", "lungs": "CHEST",
    "cxr": "CHEST", "pulmonary": "CHEST", "torax": "CHEST", "poumon": "CHEST", "rib": "RIB",
    "ribs": "RIB", "sternum": "STERNUM", "abdomen": "ABDOMEN", "abdominal": "ABDOMEN",
    "kub": "ABDOMEN", "pelvis": "PELVIS", "pelvic": "PELVIS", "hip": "HIP", "hips": "HIP",
    "knee": "KNEE", "ankle": "ANKLE", "foot": "FOOT", "hand": "HAND", "wrist": "WRIST",
    "elbow": "ELBOW", "shoulder": "SHOULDER", "femur": "FEMUR", "tibia": "TIBIA",
    "forearm": "FOREARM", "humerus": "HUMERUS", "clavicle": "CLAVICLE", "lumbar": "LSPINE",
    "breast": "BREAST", "mammography": "BREAST", "heart": "HEART", "cardiac": "HEART",
    "liver": "LIVER", "kidney": "KIDNEY", "renal": "KIDNEY", "knees": "KNEE", "ankles": "ANKLE",
    "feet": "FOOT", "heel": "CALCANEUS", "calcaneus": "CALCANEUS", "toe": "TOE", "toes": "TOE",
    "hands": "HAND", "finger": "FINGER", "fingers": "FINGER", "thumb": "THUMB", "wrists": "WRIST",
    "elbows": "ELBOW", "shoulders": "SHOULDER", "scapula": "SCAPULA", "patella": "PATELLA",
    "leg": "LEG", "thigh": "THIGH", "coccyx": "COCCYX", "lunge": "LUNG",
    "becken": "PELVIS", "hufte": "HIP", "knie": "KNEE", "fuss": "FOOT", "schulter": "SHOULDER",
    "genou": "KNEE", "bassin": "PELVIS", "epaule": "SHOULDER", "cheville": "ANKLE",
    "rodilla": "KNEE", "cadera": "HIP", "hombro": "SHOULDER", "tobillo": "ANKLE", "pulmon": "LUNG",
}  # fmt: skip
_SIGNS = {
    "胸": "CHEST", "肺": "CHEST", "腹": "ABDOMEN", "盆": "PELVIS", "骨盆": "PELVIS", "髋": "HIP",
    "膝": "KNEE", "踝": "ANKLE", "左足": "FOOT", "右足": "FOOT", "双足": "FOOT", "足正": "FOOT",
    "足部": "FOOT", "跟骨": "CALCANEUS", "趾": "TOE", "左手": "HAND", "右手": "HAND",
    "双手": "HAND", "手部": "HAND", "手正": "HAND", "手指": "FINGER", "拇指": "THUMB",
    "股骨": "FEMUR", "胫": "TIBIA", "前臂": "FOREARM", "肱骨": "HUMERUS", "锁骨": "CLAVICLE",
    "肋": "RIB", "腕": "WRIST", "肘": "ELBOW", "肩": "SHOULDER",
    "腰椎": "LSPINE", "乳": "BREAST", "心脏": "HEART", "肝": "LIVER", "肾": "KIDNEY",
}  # fmt: skip
CODES = {
    "51185008": "CHEST", "T-D3000": "CHEST", "43799004": "CHEST", "39607008": "LUNG",
    "113345001": "ABDOMEN", "T-D4000": "ABDOMEN", "818981001": "ABDOMEN", "818983003": "ABDOMEN",
    "12921003": "PELVIS", "T-D6000": "PELVIS", "816092008": "PELVIS", "24136001": "HIP",
    "T-15710": "HIP", "72696002": "KNEE", "T-D9200": "KNEE", "70258002": "ANKLE",
    "T-15750": "ANKLE", "56459004": "FOOT", "T-D9700": "FOOT", "85562004": "HAND",
    "T-D8700": "HAND", "74670003": "WRIST", "T-15460": "WRIST", "16953009": "ELBOW",
    "T-15430": "ELBOW", "127949000": "ELBOW", "16982005": "SHOULDER", "T-D2220": "SHOULDER",
    "122496007": "LSPINE", "T-11503": "LSPINE", "122495006": "TSPINE", "T-11502": "TSPINE",
    "76752008": "BREAST", "T-04000": "BREAST", "80891009": "HEART", "T-32000": "HEART",
    "10200004": "LIVER", "T-62000": "LIVER", "64033007": "KIDNEY", "T-71000": "KIDNEY",
    "122494005": "CSPINE", "T-11501": "CSPINE", "45048000": "NECK", "T-D1600": "NECK",
    "38266002": "WHOLEBODY", "T-D0010": "WHOLEBODY",
    "69536005": "HEAD", "T-D1100": "HEAD", "89546000": "SKULL", "T-11100": "SKULL",
    "12738006": "BRAIN", "T-A0100": "BRAIN", "89545001": "FACE", "T-D1200": "FACE",
    "774007": "HEADNECK", "T-D1000": "HEADNECK", "363654007": "ORBIT", "T-D1480": "ORBIT",
    "2095001": "SINUS", "T-22000": "SINUS", "661005": "JAW", "T-D1213": "JAW",
}  # fmt: skip


def subject_of(term: str, codes: Iterable[str], phrases: Iterable[str]) -> Subject:
    """Return what an image shows: by Body Part Examined, else by code, else by words."""
    said = " ".join(phrase for phrase in phrases if phrase)
    terms = [_term(term), *(CODES[code] for code in codes if code in CODES)]
    head = any(one in HEAD for one in terms) or _names_head(f"{said} {term}")
    near = any(one in NEAR_HEAD for one in terms) or _names_neck(f"{said} {term}")
    part = next((one for one in terms if one in PARTS), "") or _named(said)
    return Subject(part, head, near)


def is_photograph(phrases: Iterable[str]) -> bool:
    """Return whether what is said of an image calls it a photograph."""
    return any(not _PHOTOGRAPHS.isdisjoint(WORD.findall(_plain(one))) for one in phrases)


def _term(value: str) -> str:
    return re.sub(r"[^A-Z]", "", value.upper())


def _plain(said: str) -> str:
    apart = unicodedata.normalize("NFKD", said.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _names_head(said: str) -> bool:
    plain = _plain(said)
    found = WORD.findall(plain)
    return (
        any(word in _HEAD_WORDS or word.startswith(_HEAD_STEMS) for word in found)
        or any(stem in word for word in found for stem in _HEAD_WITHIN)
        or any(sign in said for sign in _HEAD_SIGNS)
    )


def _names_neck(said: str) -> bool:
    plain = _plain(said)
    is_whole = "whole body" in plain or "total body" in plain
    return (
        is_whole
        or not _NEAR_WORDS.isdisjoint(WORD.findall(plain))
        or any(sign in said for sign in _NEAR_SIGNS)
    )


def _named(said: str) -> str:
    for word in WORD.findall(_plain(said)):
        if word in _WORDS:
            return _WORDS[word]
    return next((part for sign, part in _SIGNS.items() if sign in said), "")
