"""Pure: words of which it is doubtful that they name somebody, whatever stands around them.

An ordinary or medical word that is no name and no place by the lists, an abbreviation of medicine,
and a person after whom a sign, score or device is called: the tagger must be surer of these.
"""

from functools import lru_cache
from pathlib import Path

from services.privacy.tagger.hints import FAMILY, GIVEN, MEDICAL, ORDINARY, PLACE, hint_of_word
from services.privacy.words import words

PROPER = GIVEN | FAMILY | PLACE
ABBREVIATION_CHARS_MAX = 6
# Our own list: abbreviations and shorthand of charts, brands of drugs, devices and services.
CHART = Path(__file__).parents[1] / "lists" / "chart_words.txt"
CHART_WORDS = words(CHART.read_text(encoding="ascii"))
# Our own list: after whom signs, scores, classes, devices, organisms and operations are called.
EPONYMS = words(
    "addison adson alport alvarado alzheimer anderson angelman apgar apley argyll arnold aschoff asherman asperger auer austin babinski",
    "baker bankart barlow barre barrett barron bartholin barthel bartter battle becker beck beckwith behcet bell bennett benson berger bernard bier billroth",
    "binet bishop bismuth blatchford blumberg boerhaave bosniak bouchard bowen braden bristol brodie brown brudzinski bruce brugada budd buerger burkitt caprini",
    "caroli centor chadwick charcot charnley cheyne chiari child christmas chvostek clark clavien cobb codman colles conn coombs cormack courvoisier crohn cullen cushing dandy",
    "darrach dehaan devic dindo dix dixon doppler dormia dressler dubin duchenne duke dukes dupuytren durie ebstein ehlers eisenmenger epley epworth erb evans ewing",
    "fabry fallot fanconi felty finkelstein finnegan fisher fitz flint foley fontan fordyce forrest fothergill fournier framingham frank friedreich fuchs galeazzi",
    "garden gardner gartland gaucher geneva gilbert gitelman glasgow gleason glisson goodpasture gottron gowers graham gram grave graves grawitz grey gross gratacos guillain gustilo guyon haldane hallpike hamilton",
    "harris hartmann hashimoto hawkins heberden heimlich henle henoch hickman hippel hirschsprung hodgkin hoffmann holter homans horner howell huber hunt hunter huntington hurley hutchinson ishihara",
    "jacksonian janeway jobe jobst jones kaposi kartagener kasai kawasaki kayser kehr kellgren kernig killip kimura klatskin klebsiella kleihauer kocher koch koebner koplik korsakoff korotkoff kussmaul labbe lachman lachmann laennec langerhans",
    "lasegue lauge lawrence leiden lemierre lennox leopold leriche lewy lhermitte lichtenstein liddle lisch lisfranc ludwig lugano lund lyme lynch macintosh maddrey magill maisonneuve makuuchi mallampati mallory malone mantoux marburg marfan marjolin mason mayo",
    "mcburney mcmurray mcroberts meckel meigs meniere menghini michels miller milwaukee mirizzi mobitz montgomery morrison morton mulligan murphy neer nissen nohria norton noonan nyha ogilvie ollier ortolani osgood osler oxford paget pancoast papanicolaou",
    "parinaud parkes parkinson parkland parvo pasteurella patau pavlik perthes peutz peyronie pfannenstiel phalen pick plummer pott potter potts prader pratt pringle prinzmetal pugh purkinje quincke ramsay ramstedt ranson rankin raynaud recklinghausen",
    "reed reiter rett reye reynolds riedel rinne robson rockall roland romberg rorschach roseola ross roth rotterdam rovsing roux russell rutherford rye salmonella salter sanders schatzker schatzki scheuermann schilling schirmer schober schwab seattle seldinger seton",
    "sezary sheehan shigella siemens simmonds sjogren skene smith snellen spencer spitz spurling starr stener stevens still stokes stoppa sturge swan sydenham tanner tamm taussig tay tenckhoff terry thomas thompson thomsen tietze tinel tinetti",
    "todd torsades tourette trendelenburg trousseau truelove turcot turner valsalva vancouver vanderbilt veress verner vienna virchow volkmann waldeyer waldenstrom wallenberg warthin waterlow weber wegener weil weiss wellens wells wenckebach werner wernicke",
    "wertheim west whipple whitaker wickham wilms wilson winter witts wolff wood yankauer yergason zenker ziehl zollinger zung",
)


@lru_cache(maxsize=65_536)
def is_doubtful(word: str, *, is_cased: bool) -> bool:
    """Return whether a word of an alphabet is more likely an ordinary one; ``is_cased``: whether
    the text has capitals at all.
    """
    lowered = word.lower()
    hint = hint_of_word(lowered)
    if lowered in EPONYMS and (word[:1].isupper() or not is_cased):
        return True
    if lowered in CHART_WORDS and not hint & (GIVEN | PLACE):
        return True
    if word.isupper() and 1 < len(word) <= ABBREVIATION_CHARS_MAX and hint & MEDICAL:
        return True
    return bool(hint & (ORDINARY | MEDICAL)) and not hint & PROPER
