"""Words that decide between a name and the language around it."""


def words(*lines: str) -> frozenset[str]:
    """Return the words of the lines."""
    return frozenset(word for line in lines for word in line.split())


# Never a name of a patient, however a feed fills PID-5: function words, fillers, test values.
NEVER_NAMES = words(
    """
    the and of with for from not his her him she they was were has had have this that patient pt
    test unknown anonymous none null na nn no name baby boy girl twin male female newborn infant
    mother father son daughter mr mrs ms miss dr prof jr sr ii iii md rn in on at to by is it be as
    or an if so we he us my do go up am are you but all any can due per via day days year years
    患者 病人 未知 不详 无名 无名氏 测试 先生 女士 之子 之女 男 女 婴儿
    """
)

# Names that are also words: hidden only where the writing shows a name (a capital, a title).
WORD_NAMES = words(
    """
    may will rose hope mark grant bill grace young long brown white black green gray grey king bell
    wood woods hill stone day page case price cook joy faith april june august summer dawn eve ivy
    lily daisy violet olive pearl ruby amber iris jasmine rich short small little good best sharp
    strong power love child church park parks field fields banks bush ford lane bridge brook rivers
    lake frost snow winter winters moon star noble fair friend gentle savage swift wise keen early
    hand hands head heart foot legg back bone blood burns fever payne paine pain ache cross marks
    major minor senior art miles drew chase pierce reed sage skip sky storm stormy van von de la le
    del di da dos el al bin ibn van der ten graves parkinson wilson crohn hodgkin down cushing
    addison turner marfan bell huntington alzheimer foley kelly allen graham baker gamma delta alpha
    max ray rays drake carter fisher mason butler porter walker turner parker sawyer hunter archer
    normal stable acute chronic left right high low mild severe clear intact soft alert oriented
    健康 建国 和平 平安 安宁 高兴 清明 明显 正常 文明 国家 长期
    红 白 黄 高 方 安 平 常 林 石 水 金
    """
)

# Capitalised words that begin sentences and headings: they end a name found by its cue.
NOT_NAMES = words(
    """
    a an the this that these those he she it they we you i his her their our and or but if when
    while with without has had have was were is are be been being will would should could can may
    in on at to for from of by as after before during since until than then there here no not none
    denies denied reports reported states stated presents presented complains admitted discharged
    seen reviewed review noted history past medical surgical family social allergies medications
    assessment plan impression findings exam examination vitals labs imaging chest abdomen heart
    lungs neuro skin general blood pressure pulse temperature oxygen emergency department hospital
    clinic ward unit icu ed er or nurse doctor physician consultant resident team service care home
    medicine surgery cardiology oncology neurology radiology pathology patient patients date time
    age sex male female name phone address email fax mrn id dob ssn number january february march
    april june july august september october november december monday tuesday wednesday thursday
    friday saturday sunday today yesterday tomorrow follow call please see what which who how why is
    does do did could vitamin hepatitis type factor group class grade stage influenza protein
    complex virus phase level gene section part table figure appendix treatment therapy syndrome
    disease best current latest new old manager practitioner specialist assistant unknown pending
    superior inferior left right anterior posterior upper lower mother father son daughter wife
    husband brother sister teresa note notes order orders result results test tests
    """
)

# The 150 most common Chinese family names and the double ones.
SURNAMES = (
    "刁敖宫楚郎奉巴敬国商荣滕冉麻阚尚卞敬蔺鞠桑逄宿厉戚幸湛储仲慎尧"
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛"
    "伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄"
    "项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解车"
)
# Rarer ones whose character is hardly ever a word: enough where a title or a cue stands beside it.
RARE_SURNAMES = (
    "宗奚晁匡冼谌嵇辜缪邝仝糜竺邬郗佘庹晏侬钮仇濮邰胥裘郦岑庾逯璩茹邴扈褚郏蒯阙寇佟栾臧贲亓亢屠"
    "郜隗谯芮羿禹邸郇訾鄢昝宓粟佴郄缑仉沐呙郅闻巩鄞麴璧冮迟苑邬蔚牟闫亓鲜於窦逯郁尉蔺"
)
DOUBLE_SURNAMES = "欧阳 上官 司马 诸葛 司徒 皇甫 尉迟 公孙 慕容 令狐 夏侯 东方 端木 独孤 南宫 长孙"
