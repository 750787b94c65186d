"""Messages with a planted identifier in every field that can hold one, and a search for them."""

import base64
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from simulator.people import PINYIN
from simulator.radiographs import as_dicom


@dataclass(frozen=True)
class Planted:
    """One patient whose every identifier is a string found nowhere else.

    ``secrets`` are the strings that may not appear after privacy, in any encoding.
    """

    lang: str
    family: str
    given: str
    mrn: str
    visit: str
    birth_date: str
    phone: str
    street: str
    kin: str
    kin_phone: str
    doctor_id: str
    doctor: str
    email: str
    national_id: str
    account: str
    control: str
    order: str

    @property
    def full(self) -> str:
        return f"{self.family}{self.given}" if self.lang == "zh" else f"{self.given} {self.family}"

    @property
    def secrets(self) -> tuple[str, ...]:
        year, month, day = self.birth_date[:4], self.birth_date[4:6], self.birth_date[6:]
        return (
            self.full,
            *((self.family, self.given) if self.lang == "en" else ()),
            f"{self.family} {self.given}",
            f"{self.family}^{self.given}",
            self.mrn,
            self.visit,
            self.birth_date,
            f"{year}-{month}-{day}",
            f"{year}年{int(month)}月{int(day)}日",
            self.phone,
            self.street,
            self.kin,
            self.kin_phone,
            self.doctor_id,
            self.doctor,
            self.email,
            self.national_id,
            self.account,
            self.control,
            self.order,
            "ZSECRETVALUE" + self.mrn,
            "APPLEAK",
            "FACLEAK",
        )


EN = Planted(
    lang="en",
    family="Quastelbrook",
    given="Evadneth",
    mrn="83920174",
    visit="VN7733901",
    birth_date="19470309",
    phone="(761) 555-0187",
    street="417 Wexcombe Parade",
    kin="Thornquist",
    kin_phone="(761) 555-0199",
    doctor_id="DQ90817",
    doctor="Marlowitz",
    email="evadneth.q@mailbox.example",
    national_id="927-65-2957",
    account="ACC5510937",
    control="CTLX0009471",
    order="FILL8837100",
)
ZH = Planted(
    lang="zh",
    family="萧",
    given="砚舟",
    mrn="71845502",
    visit="VN8844021",
    birth_date="19521127",
    phone="17141795277",
    street="青枫浦巷418号",
    kin="萧砚秋",
    kin_phone="15589002564",
    doctor_id="DQ90818",
    doctor="欧阳铎",
    email="xiaoyz@mailbox.example",
    national_id="994446195211278800",
    account="ACC5510938",
    control="CTLX0009472",
    order="FILL8837101",
)


def messages(who: Planted) -> Iterator[bytes]:
    """Yield an admission, results, a note and a pharmacy order full of identifiers."""
    for number, kind in enumerate(("ADT^A01^ADT_A01", "ORU^R01^ORU_R01", "MDM^T02^MDM_T02")):
        body = [_msh(who, kind, number), *_who(who), *_content(who, kind)]
        yield ("\r".join(body) + "\r").encode()


def found_in(haystacks: Iterable[bytes], who: Planted) -> list[str]:
    """Return the secrets that appear in any of ``haystacks``, in any of many encodings."""
    needles = [(needle, secret) for secret in who.secrets for needle in encodings(secret)]
    if who.lang == "zh":
        pinyin = PINYIN[who.family] + "yanzhou"
        needles.append((pinyin.encode(), pinyin))
    found: set[str] = set()
    for haystack in haystacks:
        lowered = haystack.lower()
        found |= {secret for needle, secret in needles if needle.lower() in lowered}
    return sorted(found)


def encodings(secret: str) -> set[bytes]:
    """Return ``secret`` as it could be hidden: base64 at each alignment, hex, escapes, charsets."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), urllib.parse.quote(secret).encode()}
    found.add(secret.encode("unicode_escape"))
    found.add(ascii(secret)[1:-1].encode())
    for charset in ("utf-16-le", "utf-16-be", "gb18030"):
        found.add(secret.encode(charset))
    for lead in range(3):
        # Drop what depends on the neighbours: the first and last characters of the alignment.
        padded = base64.b64encode(bytes(lead) + raw + bytes((-lead - len(raw)) % 3))
        inner = padded[(0, 2, 3)[lead] : len(padded) - 4]
        if len(inner) >= 8:
            found.add(inner)
    digits = "".join(one for one in secret if one.isdigit())
    if len(digits) >= 8:
        found.add(digits.encode())
    return {needle for needle in found if len(needle) >= 6}


def _msh(who: Planted, kind: str, number: int) -> str:
    control = f"{who.control}{number}"
    return (
        f"MSH|^~\\&|APPLEAK|FACLEAK|A|B|20260309101500+0000||{kind}|{control}|P|2.5.1"
        "||||||UNICODE UTF-8"
    )


def _who(who: Planted) -> list[str]:
    name = f"{who.family}^{who.given}"
    pid = [""] * 31
    pid[1], pid[2] = "1", f"{who.account}2^^^HOSP"
    pid[3] = f"{who.mrn}^^^HOSP^MR~{who.national_id}^^^GOV^SS"
    pid[4], pid[5], pid[6] = f"{who.account}4", name, f"{who.kin}^{who.given}"
    pid[7], pid[8], pid[9] = who.birth_date, "F", name
    pid[11] = f"{who.street}^^Westbrook^^07453"
    pid[13] = f"{who.phone}^PRN^PH^{who.email}"
    pid[14], pid[18], pid[19] = who.kin_phone, who.account, who.national_id
    pid[20], pid[23], pid[29] = f"{who.account}L", who.street, ""
    pv1 = [""] * 46
    pv1[1], pv1[2], pv1[3] = "1", "I", "MICU^04^B"
    for field in (7, 8, 9, 17):
        pv1[field] = f"{who.doctor_id}^{who.doctor}^{who.given}"
    pv1[5], pv1[19], pv1[50 - 5] = f"{who.visit}5", who.visit, ""
    pv1[44] = "20260309101000+0000"
    return [
        "PID" + "|".join(pid),
        f"NK1|1|{who.kin}^{who.given}|SPO|{who.street}|{who.kin_phone}|{who.kin_phone}",
        "PV1" + "|".join(pv1),
        f"GT1|1|{who.account}|{who.kin}^{who.given}||{who.street}|{who.kin_phone}",
        f"IN1|1|PLAN|{who.account}|INS CO|{who.street}||{who.phone}|||||||||{name}",
        f"ZPI|1|ZSECRETVALUE{who.mrn}|{name}|{who.phone}",
    ]


def _content(who: Planted, kind: str) -> list[str]:
    if kind.startswith("ADT"):
        return []
    at = "20260309101400+0000"
    note = _note(who)
    head = f"OBR|1|{who.order}|{who.order}F|85353-1^Vital signs for {who.full}^LN|||{at}"
    rows = [
        f"OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F|||{at}||{who.doctor_id}^{who.doctor}",
        f"OBX|2|NM|9279-1^Resp of {who.full}^LN||18|/min|||||F|||{at}",
        f"OBX|3|ST|COMMENT^local text about {who.full}^L||seen {who.full} {who.mrn}||||||F|||{at}",
        f"OBX|4|CWE|67775-7^Level^LN||A^Alert {who.full}^L||||||F|||{at}",
        f"OBX|5|TX|11506-3^Progress note^LN||{note}||||||F|||{at}",
        f"NTE|1||{note}",
    ]
    if not kind.startswith("ORU"):
        return [f"TXA|1|PN|TX|{at}|{who.doctor_id}^{who.doctor}", *rows]
    image = base64.b64encode(_image(who)).decode()
    return [head, *rows, f"OBX|6|ED|36643-5^XR Chest^LN||^IM^DICOM^Base64^{image}||||||F|||{at}"]


def _image(who: Planted) -> bytes:
    """Return a radiograph with identifiers wherever DICOM and a device have room for one."""
    request, scan = Dataset(), np.linspace(0, 255, 4_096, dtype=np.float32).reshape(64, 64)
    request.RequestingPhysician, request.PatientID = who.doctor, who.mrn
    return as_dicom(
        scan,
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "BodyPartExamined": "CHEST",
            "PatientName": f"{who.family}^{who.given}",
            "PatientID": who.mrn,
            "PatientBirthDate": who.birth_date,
            "PatientAddress": who.street,
            "AccessionNumber": who.order,
            "StudyInstanceUID": f"1.2.840.{who.mrn}.1",
            "StudyDescription": f"Chest of {who.full}, {who.national_id}",
            "ImageComments": f"{who.phone} {who.email} {who.kin}",
            "RequestAttributesSequence": [request],
        },
    )


def _note(who: Planted) -> str:
    year, month, day = who.birth_date[:4], who.birth_date[4:6], who.birth_date[6:]
    if who.lang == "zh":
        return (
            f"患者{who.full}，住院号{who.mrn}，身份证{who.national_id}，{year}年{int(month)}月"
            f"{int(day)}日出生，住{who.street}，电话{who.phone}，家属{who.kin}（{who.kin_phone}）。"
            f"主管医师{who.doctor}。血压稳定，继续观察。邮箱{who.email}。"
        )
    return (
        f"{who.full} (MRN {who.mrn}), born {year}-{month}-{day}, of {who.street}, tel {who.phone}, "
        f"{who.email}. Next of kin Mrs {who.kin} {who.kin_phone}. {who.family.upper()}, "
        f"{who.given} seen by Dr {who.doctor}. SSN {who.national_id}. Stable, continue."
    )
