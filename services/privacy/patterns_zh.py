"""Pure: identifiers by their form in Chinese text (folded: ``：`` is ``:``, ``，`` is ``,``)."""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.patterns import Pattern, form
from services.privacy.words import DOUBLE_SURNAMES, RARE_SURNAMES, SURNAMES, words

HAN = r"[\u3400-\u4dbf\u4e00-\u9fff·]"
NUMERAL = r"[〇零一二三四五六七八九十廿卅元]"
SURNAME = rf"(?:{'|'.join(DOUBLE_SURNAMES.split())}|[{SURNAMES}{RARE_SURNAMES}])"
TITLE = (
    r"(?:主任医师|副?主任医师|副主任|主治医师|住院医师|医师|医生|大夫|主任|护士长|护士|护师|教授|院长|先生|女士|小姐"
    r"|阿姨|大爷|奶奶|同志|老师)"
)
# What may follow a name with nothing between: the name's end is certain then.
AFTER_NAME = r"(?=[\s,、。;:()\[\]<>/\d]|男|女|年龄|因|于|诉|家属|$)"
NOT_BEFORE_TITLE = words(
    "管床 上级 主管 值班 住院 经治 当班 接诊 责任 全科 家庭 专科 外科 内科",
    "儿科 乡村 会诊 主诊 主治 主任 首诊 门诊 急诊 麻醉 手术 病房 科室 党委",
    "副主 申请 卒中 白班 夜班 随访 首诊 常规 相关 高级 专业 通知 告知 汇报 报告 请示 联系 任何 何种",
)
NOT_AFTER_PATIENT = words(
    "高热 高烧 高血 高龄 高度 高危 何时 于今 于昨 于入 向家 向医 平素 平时",
    "平卧 平日 常有 常感 时有 时感 时而 方可 方才 严重 安静 安返 计划 易怒",
    "易激 全身 全天 全麻 应用 应予 解大 解小 解便 双下 双上 双肺 左侧 左下",
    "左上 左足 左手 左眼 左肩 柏油 单纯 白天 白班 毛发 金属 章节 水肿 任何",
    "康复 温度 危重 石膏 雷诺 凌晨 明显 顾虑 和家 施行 史无 曾有 曾于 曾因",
    "万幸 华法 庞大 尤其 成年 成功 查体 查血 经治 项背 从未 满意 黄疸 黄染",
    "房颤 欧美 钱款 司机 包块 游走 关节 闵行 宁愿 龙胆 甘油 向左 向右 古稀",
    "安睡 安慰",
)


def _is_titled(match: re.Match[str]) -> bool:
    start = match.start("name")
    around = match.string[max(0, start - 1) : match.end("name")]
    return not any(word in around for word in NOT_BEFORE_TITLE)


def _is_patient_name(match: re.Match[str]) -> bool:
    return match["name"][:2] not in NOT_AFTER_PATIENT


def _is_old(match: re.Match[str]) -> bool:
    return match["years"][0] == "九" or "百" in match["years"]


def _is_place(match: re.Match[str]) -> bool:
    return not match[0].startswith(NOT_PLACES) and not match[match.lastgroup or 0].startswith(
        NOT_PLACES
    )


NOT_PLACES = (
    "本院", "我院", "外院", "当地", "上级", "该院", "某", "住院", "入院",
    "出院", "转院", "来我", "在我", "于我", "我市", "本市", "全市", "县级",
    "市级", "区域", "病区", "社区", "城市", "城区", "超市", "门市", "一家",
    "多家", "肿瘤医", "综合医", "三甲医", "专科医", "心前区", "颈部", "腹部", "上腹",
    "下腹", "骶尾", "肝区", "肾区",
)  # fmt: skip

PROVINCE = (
    r"(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川"
    r"|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)(?:壮族|回族|维吾尔)?(?:省|市|自治区|特别行政区)"
)
# Words before a place that are no part of it: the place begins after the nearest one.
TO_PLACE = rf"(?:{HAN}{{0,6}}?(?:家住|现住|居住|住在?|来自|位于|籍贯|户籍|送达?|拟?转至?|返回|返|回|送检医院|在|于|自|赴|到|从|为|抵|待))?"
PATTERNS_ZH: tuple[Pattern, ...] = (
    form("ID", r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"),
    form("ID", r"(?<!\d)[1-9]\d{5} ?\d{8} ?\d{3}[\dXx](?!\d)"),
    form("ID", r"(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}(?!\d)"),
    form("ID", r"(?<![A-Za-z0-9])[A-Z][12]\d{8}(?!\d)"),
    form("ID", r"(?<![A-Za-z0-9])[EGDSPH]\d{8}(?!\d)"),
    form(
        "ID",
        r"(?:住院号|病案号|病历号|门诊号|急诊号|登记号|就诊号|就诊卡号?|诊疗卡号?|医保卡?号?|社保卡?号?|身份证号?码?"
        r"|证件号码?|护照号?|军官证号?|检查号|影像号|病理号|标本号|条码号?|样本号|流水号|档案号|ID号?|编号|卡号|账号"
        r"|工号|执业证号?|车牌号?)[为是]?\s{0,2}[:#]?\s{0,2}(?P<v>[A-Za-z0-9][A-Za-z0-9/-]{2,30})",
        of="v",
    ),
    form("ID", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?(?:[A-Z0-9]{5,6}|[A-Z0-9]{4}[警学挂领港澳])(?![A-Za-z0-9])"),
    form("PHONE", r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"),
    form("PHONE", r"(?<!\d)\(?0\d{2,3}\)?[- ]?\d{7,8}(?:[-转]\d{1,6})?(?!\d)"),
    form("PHONE", r"(?<!\d)400[- ]?\d{3}[- ]?\d{4}(?!\d)"),
    form(
        "PHONE",
        r"(?:电话|手机|联系方式|传真|分机|热线|座机)号?码?[为是]?\s?:?\s?(?P<v>\+?\d[\d() -]{3,20}\d)",
        of="v",
    ),
    form("ID", r"(?:微信|QQ|qq)号?[:为是]?\s?(?P<v>[A-Za-z0-9_-]{5,20})", of="v"),
    form(
        "DATE",
        r"(?<!\d)(?:(?:19|20)\d{2}|\d{2})\s?年\s?(?:0?[1-9]|1[0-2])\s?月(?:份|\s?(?:[12]\d|3[01]|0?[1-9])\s?[日号])?",
    ),
    form("DATE", r"(?<!\d)(?:0?[1-9]|1[0-2])\s?月\s?(?:[12]\d|3[01]|0?[1-9])\s?[日号]"),
    form("DATE", rf"{NUMERAL}{{2,4}}年{NUMERAL}{{1,2}}月(?:份|{NUMERAL}{{1,3}}[日号])?"),
    form("DATE", rf"(?<!个)(?<!{NUMERAL}){NUMERAL}{{1,2}}月{NUMERAL}{{1,3}}[日号]"),
    form("DATE", r"(?:民国|民國)\s?\d{1,3}\s?年(?:\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)?"),
    form("DATE", rf"(?:农历|阴历|農曆)\s?(?:{NUMERAL}{{2,4}}年)?(?:正|腊|冬|闰)?{NUMERAL}{{0,2}}月(?:初{NUMERAL}|{NUMERAL}{{1,3}}日?)?"),
    form("AGE", r"(?P<years>九十[一二三四五六七八九]?|一百零?[一二三四五六七八九十]{0,2})(?=\s?(?:周?岁|高龄))", _is_old, "years"),
    form(
        "NAME",
        r"(?:姓\s{0,4}名|患者姓名|病人姓名|患儿姓名|签\s?名|签\s?字|医师签名|护士签名|联系人|陪护人?|监护人|代理人|委托人"
        r"|记录者|记录人|书写者|审核者|报告者|报告医师|审核医师|主治医师|主任医师|住院医师|经治医师|管床医师|手术医师|术者"
        r"|主刀|一助|二助|麻醉医师|麻醉师|责任护士|值班医师|会诊医师|申请医师|医师|医生|护士|家属姓名|申请者|检查者|术者姓名)"
        rf"(?:签[名字])?\s?[:/]\s{{0,3}}(?P<name>(?!患者|病人|患儿|入院|出院|同意|本人|家属){HAN}{{2,4}}(?:[、/,]\s?{HAN}{{2,4}}(?![\u4e00-\u9fff:])){{0,3}})",
        of="name",
    ),
    form(
        "NAME",
        r"(?:患者|病人|患儿|病员|产妇|家属|姓名|其[父母妻夫子女]亲?|[父母]亲|妻子|丈夫|儿子|女儿|之[子女妻夫]|配偶|伴侣|联系人)"
        rf"\s?[:(]?\s?(?P<name>{SURNAME}{HAN}{{1,2}}){AFTER_NAME}",
        _is_patient_name,
        "name",
    ),
    form("NAME", rf"(?<!{HAN})(?P<name>{SURNAME}{HAN}{{1,2}})\s?[,，(]\s?[男女][,，)\s\d]", _is_patient_name, "name"),
    form("NAME", rf"(?P<name>{SURNAME}某{{1,2}}(?:{HAN}(?!{HAN}))?)", of="name"),
    form("NAME", rf"(?P<name>{SURNAME}{HAN}{{0,2}}?)(?={TITLE})", _is_titled, "name"),
    form("NAME", rf"(?<!{HAN})[小老阿](?P<name>(?!时|腿|便)[{SURNAMES}])(?={HAN}{{0,1}}[说诉来,])", of="name"),
    form(
        "LOC",
        rf"{PROVINCE}{HAN}{{0,10}}(?:市|州|盟|地区|区|县|旗)?(?:{HAN}{{0,16}}(?:[A-Za-z0-9]{{1,5}}[座号楼栋室弄]?){{0,5}})?"
        r"(?: ?\d{6}(?!\d))?",
        _is_place,
    ),
    form(
        "LOC",
        rf"{TO_PLACE}(?P<v>{HAN}{{2,6}}(?:市|县){HAN}{{1,8}}(?:区|县|镇|乡|村|路|街|道|巷)"
        rf"(?:{HAN}{{0,16}}\d{{0,5}}[A-Za-z]?[座号楼栋室]?)?)",
        _is_place,
        "v",
    ),
    form(
        "LOC",
        rf"{TO_PLACE}(?P<v>{HAN}{{2,12}}(?:路|街|大道|巷|弄|胡同|小区|花园|新村|家园|公寓)[A-Za-z0-9一二三四五六七八九十]{{1,5}}"
        r"(?:号|弄|栋|幢|座|楼|单元|室|层|组|-){1,2}(?:[A-Za-z0-9]{1,5}(?:号|栋|幢|座|楼|单元|室|层|-){0,1}){0,4})",
        _is_place,
        "v",
    ),
    form("LOC", rf"{TO_PLACE}(?P<v>{HAN}{{2,6}}(?:县|区|镇|乡){HAN}{{1,8}}(?:镇|乡|村|街道|社区)(?:{HAN}{{0,6}}[\d一二三四五六七八九十]{{1,4}}[组队号])?)", _is_place, "v"),
    form("LOC", rf"(?:家住|住址|地址|籍贯|出生地|户籍|现住|居住地|工作单位)[为是于在]?\s?:?\s?(?P<v>[{HAN[1:-1]}A-Za-z0-9-]{{2,40}})", of="v"),
    form("LOC", rf"{TO_PLACE}(?P<v>{HAN}{{2,14}}(?:医院|卫生院|诊所|卫生服务中心|保健院|疗养院))", _is_place, "v"),
    form("LOC", r"(?:邮编|邮政编码)\s?:?\s?(?P<v>\d{6})(?!\d)", of="v"),
)  # fmt: skip
