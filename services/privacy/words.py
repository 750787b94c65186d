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

# Words of medicine that the word list lacks and that are nearly somebody's name.
CLINICAL_WORDS = words(
    """
    acral actin alanine allele amine anion annular antral aorto areata atony atresia atria
    axilla bacilli bingers biotin blanch boron bruit bulla bullae cannula cardia carinii casein
    caudal caval cauda cecal centre centres chancre chiari cholic chorea cleaved clonal
    clonidine cocci coli conus costal croup crural cutis dacron dermoid desmoid dimer doesn dura
    dural enterica eosin equina eschar ester fissure folia folic ganglia gastro gerd goiter
    goitre gravis gyrus hasn hilar holter doppler ictal ictus igne ileum ileus intima intra
    islet keratin ketone lamin lamina lamins lata lipase lipoma lobar longus lysed malar maximal
    meatus melena menses milieu mitral mortem motile mucin multi murine myelin myeloid nadir
    nevi nevus nigra nodal novo nsaid nuchal ostial ovine palatal palmar papule parotid patella
    pepsin plana planar planus pressor profuse proto psoas purine pylori rales recur renin
    sacral sclera sellar senna septa sialic situ sprue statin stemi sternal stoma stomal striate
    stroma stromal stye sural syrinx tarda tarsal taurine tinea titer titers tonus trans triptan
    tubers urachal urate urea uremic ureter uteri utero vagal vagus valvar varix varus vasa
    versa villi villus vitro volar vulva zoster covid sars troponin trop ferritin lactate bolus
    kardex hickman redivac yankauer venflon actos advair advil aleve alimta allegra amaryl
    ambien ancef anoro apidra avapro avonex bentyl boniva breo bumex byetta calan celexa cialis
    colace coreg cozaar doxy evista flomax flagyl geodon humira imuran keppra lasix lantus
    merrem mirena motrin narcan norco otezla plavix pradaxa reglan remeron tresiba vanco velcade
    xanax xeloda zocor zofran zosyn addisonian barre cushingoid crohn guillain homan homans
    kussmaul lachman mcburney murphy romberg tinel phalen babinski brudzinski kernig rinne weber
    kocher lhermitte trousseau chvostek uveal rosea genera adenine kinase agar dioxin agenesis
    """
)
# Letters that are a title or a route however written: never anybody's initials.
TITLE_LETTERS = words(
    """
    MD DO RN NP PA SN HCA PT OT RD SW BS BA MA MS MB BM FRCP MRCP DDS DMD PHD RPH DPM DC LPN CNA
    CNM IV IM PO SC SL PR BD OD TD QD PRN TDS QDS BID TID QID OM ON AM PM US UK EU USA ICU EG IE
    VS
    """
)
# Who is asked and where one goes: `d/w GI`.
SERVICES = words(
    """
    ED ER IR GI ID OB GYN CT CCU ICU NICU PICU HDU OR PACU ENT CV CVS GP PCP SS SLP EP NSG NSGY
    ORS GU MFM ONC PSY RT VIR MDT AMU SAU CTS MICU SICU OPD IT HR PALS DN HV CPN EMS EMT POA NOK
    MH
    """
)
# Two to four letters that charts are full of.
ABBREVIATIONS = SERVICES | words(
    """
    AA AAA AB ABG ABX AC ACE ACL ACS AD ADHD ADL AE AF AFB AHI AI AIDS AK AKA AKI AL ALL ALP ALS
    ALT AML AN ANA AP APTT AR ARB ARDS AS ASA ASD AST AV AVM AVR BAL BB BCC BE BG BKA BM BMI BMP
    BNP BP BPH BPM BPPV BT BUN BX CA CABG CAD CAP CBC CBD CC CF CFU CHD CHF CI CIN CK CKD CL CLL
    CM CML CMP CMV CN CNS CO COPD CP CPAP CPR CR CRF CRP CS CSF CSU CTA CTPA CVA CVC CVP CX CXR
    DAT DBP DC DCM DI DIC DIP DJD DKA DL DM DNA DNAR DNR DOA DOB DOE DP DS DT DVT DX EBL EBV ECG
    ECHO ECMO EDD EEG EF EGD EGFR EKG EMG EN ERCP ESR ESRD ET ETOH ETT EX FB FBC FBS FEV FFP FH
    FHR FHX FM FNA FSH FT FTT FU FUO FVC FX GA GB GBM GBS GC GCS GERD GF GFR GH GHB GN GTN GVHD
    HB HBV HC HCC HCG HCT HCV HD HDL HEENT HF HGB HIV HL HLA HOB HPI HPV HRT HS HSV HTN HU HUS
    HX IBD IBS ICD ICH ICP IE IG IGA IGG IGM IHD IL INH INR IO ITP IUD IUGR IVC IVF IVIG JVD JVP
    KUB LA LAD LBBB LBP LBW LCA LDH LDL LE LFT LFTS LH LIF LL LLL LLQ LMA LMP LN LOC LP LR LSD
    LT LTB LUL LUQ LV LVEF LVH MAC MAP MC MCA MCH MCV MDI MDR MED MEN MG MGUS MI ML MM MMR MR
    MRA MRI MRSA MSE MSU MT MV MVA MVP MVR NA NAD NB NEC NG NGT NHL NK NKA NKDA NM NPO NR NRB NS
    NSR NST NT NTG NV NYHA OA OCD OCP OE OGTT OG ORIF OS OSA OU PAC PAD PAF PAP PCA PCI PCOS PCR
    PCV PD PDA PE PEA PEEP PEEL PEG PERL PERRL PET PF PFT PH PHT PI PICC PID PIP PJP PKU PLT PMH
    PN PND PNS POC POD PP PPD PPH PPI PPM PPN PRBC PS PSA PSH PTA PTE PTH PTSD PTT PTX PUD PV
    PVC PVD PVR QC RA RAD RAS RB RBBB RBC RBS RCA RDS RF RH RHD RI RIF RL RLE RLL RLN RLQ ROM
    ROS RP RPR RR RS RSV RTA RTC RTI RUL RUQ RV RVH RX SA SAD SAH SAO SARS SB SBE SBO SBP SBT
    SCC SCD SD SE SG SH SI SIADH SIDS SIRS SLE SLR SM SOB SOBOE SOFA SP SPO SR ST STD STI STEMI
    SV SVC SVR SVT SX TA TB TBI TBSA TEE TEN TFT TG TH TIA TIBC TKA TKR TLC TM TMJ TN TNF TNM
    TOE TOP TP TPN TPR TR TRH TS TSH TT TTE TTP TUR TURP TV TVH TX UA UC UE UF UGI UL UO UPT URI
    URTI USS UTI UV VA VAC VAD VAS VB VBG VD VF VLDL VP VQ VR VRE VSD VT VTE VZV WBC WCC WD WN
    WNL WPW WT XR YO NSTEMI
    """
)
