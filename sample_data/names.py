"""Invented vocabulary. No word here names a real hotel, hospital, company, town or person.

State codes are real, because tax and ZIP handling depend on them; everything else of an address is made up,
and ZIP codes start with 000, which the postal service has never assigned.
"""

from __future__ import annotations

from typing import Final

FIRST_WORDS: Final = (
    "Abberlow", "Aldergrane", "Ambermere", "Arkwold", "Ashenfell", "Auldreave", "Barrowick", "Beckhallow",
    "Bellorane", "Birchmoor", "Blackthwaite", "Bramblecot", "Brindlemar", "Briskwater", "Brookvane", "Calderidge",
    "Candlewick", "Carrowmead", "Cindermoor", "Cloverlane", "Cobblemar", "Copperwold", "Corvane", "Cragmoor",
    "Dapplewood", "Dawnhollow", "Dellorin", "Dovermere", "Drumhallow", "Duskfield", "Eastwhistle", "Elderquay",
    "Embervale", "Everglint", "Fallowmere", "Farrowdell", "Fenwhistle", "Fernhallow", "Flintmoor", "Foxglade",
    "Garnetshaw", "Gildermoor", "Glasswold", "Gorsefield", "Greywhistle", "Halewick", "Harrowmar", "Hazelthorn",
    "Heronquay", "Hollowmere", "Inglemoor", "Ironvale", "Ivorydell", "Jasperlane", "Junipervane", "Kelderwick",
    "Kestrelmoor", "Kindlewood", "Lanternhill", "Larkmere", "Lindenshaw", "Lowenmar", "Maplethorn", "Marlowick",
    "Meadowglint", "Millhallow", "Mistlefield", "Moorhaven", "Nettlewick", "Nightingdell", "Oakenshaw", "Orchardmoor",
    "Osprelane", "Otterquay", "Pebblemoor", "Pinewhistle", "Quillmere", "Ravenglint", "Rookvale", "Rowanthorn",
    "Saltermoor", "Silverthwaite", "Sorrelwick", "Sparrowdell", "Stonewhistle", "Swanmere", "Tallowick", "Tarnfield",
    "Thistlevane", "Tidewhistle", "Umberdell", "Velvetmoor", "Waxenfell", "Wexmoor", "Whinfield", "Willowmar",
    "Wintergate", "Wrenhallow", "Yarrowdell", "Zephyrmoor",
)  # fmt: skip
SECOND_WORDS: Final = (
    "Arcade", "Banks", "Bay", "Bluff", "Bridge", "Chapel", "Circle", "Cliff", "Commons", "Corner", "Court", "Cove",
    "Creek", "Crescent", "Crossing", "Dale", "Dock", "Falls", "Ferry", "Field", "Fountain", "Garden", "Gate", "Glen",
    "Green", "Grove", "Harbor", "Heights", "Hill", "Island", "Junction", "Lake", "Landing", "Market", "Meadow", "Mill",
    "Orchard", "Park", "Point", "Quay", "Ridge", "River", "Row", "Shore", "Spring", "Square", "Terrace", "Valley",
    "View", "Wharf",
)  # fmt: skip
PLACE_KINDS: Final = {
    "hotel": ("Hotel", "Inn", "Suites", "Lodge", "House Hotel", "Grand Hotel"),
    "resort": ("Resort", "Spa Resort", "Beach Resort", "Golf Resort"),
    "hospital": ("Hospital", "Medical Center", "Clinic", "Health Pavilion", "Children's Hospital"),
    "office": ("Office Tower", "Business Park", "Plaza Offices", "Corporate Center"),
    "lot": ("Garage", "Parking Deck", "Surface Lot", "Public Lot"),
}
CITIES: Final = (
    "Sampleton", "Exampleford", "Placeholder Falls", "Mockingham", "Fixture Springs", "Testerville", "Demoburg",
    "Draftwood", "Fictionport", "Inventon", "Makebelieve", "Pretendham", "Stubfield", "Templateville", "Trialton",
    "Specimen Bay", "Sketchley", "Outline Park", "Notional", "Prototown", "Modelbury", "Patternford", "Figmentville",
    "Imaginary Heights", "Supposeton", "Hypothetica", "Conjecture", "Assumption Creek", "Premise Point", "Axiomburg",
)  # fmt: skip
DISTRICTS: Final = (
    "North Lantern", "South Lantern", "East Lantern", "West Lantern", "Upper Thistle", "Lower Thistle", "Amber Coast",
    "Cobalt Coast", "Ivory Coastline", "Cedar Hills", "Copper Hills", "Granite Hills", "Harbor Ring", "Lake Ring",
    "River Ring", "Metro One", "Metro Two", "Metro Three", "Metro Four", "Metro Five", "Prairie North",
    "Prairie South", "Summit East", "Summit West", "Canyon", "Delta", "Gulfside", "Highland", "Lowland", "Midland",
)  # fmt: skip
GIVEN_NAMES: Final = (
    "Alex", "Ariel", "Avery", "Blake", "Casey", "Dana", "Devon", "Drew", "Ellis", "Emery", "Finley", "Harper",
    "Jamie", "Jordan", "Kai", "Kendall", "Lane", "Logan", "Marley", "Morgan", "Noel", "Parker", "Quinn", "Reese",
    "Riley", "Robin", "Rowan", "Sage", "Sidney", "Taylor",
)  # fmt: skip
FAMILY_NAMES: Final = (
    "Exampler", "Placehold", "Mockwell", "Testerby", "Sampleson", "Draftman", "Fixturely", "Demoworth", "Stubbington",
    "Inventley", "Fictionade", "Pretendre", "Notionly", "Patternby", "Figmentor", "Modelton", "Sketchervane",
    "Mockleton", "Trialworth", "Specimenko", "Outlinier", "Prototypov", "Imaginario", "Supposewell",
    "Hypothesen", "Conjecturi", "Premisand", "Axiomsen", "Lemmaworth", "Corollari",
)  # fmt: skip

STATE_TAX_PPM: Final = {
    "AL": 90_000, "AR": 65_000, "AZ": 86_000, "CO": 77_250, "CT": 63_500, "FL": 75_000, "GA": 89_000, "IL": 102_500,
    "IN": 70_000, "KS": 65_000, "KY": 60_000, "MA": 62_500, "MD": 60_000, "MI": 60_000, "MN": 68_750, "MO": 79_750,
    "NC": 72_500, "NE": 70_000, "NJ": 66_250, "NM": 51_250, "NV": 83_750, "NY": 88_750, "OH": 72_500, "OK": 89_900,
    "PA": 80_000, "RI": 70_000, "SC": 81_000, "TN": 92_500, "TX": 82_500, "UT": 77_500, "VA": 60_000, "WA": 101_000,
    "WI": 55_000, "WV": 60_000,
}  # fmt: skip
"""Invented parking-tax rates in millionths by state code."""

_STREETS: Final = ("Example Street", "Sample Avenue", "Placeholder Road", "Fixture Lane", "Demo Boulevard")


def customer_name(index: int, kind: str, variant: int) -> str:
    """A name that no two sites share: the index picks both words and, when they are used up, a number."""
    pairs = len(FIRST_WORDS) * len(SECOND_WORDS)
    lap = index // pairs
    # 1,237 shares no factor with the number of pairs, so a lap visits every pair once, far apart each time.
    first, second = divmod(index * 1_237 % pairs, len(SECOND_WORDS))
    kinds = PLACE_KINDS[kind]
    name = f"{FIRST_WORDS[first]} {SECOND_WORDS[second]} {kinds[variant % len(kinds)]}"
    return f"{name} {lap + 1}" if lap else name


def street(index: int, variant: int) -> str:
    """`123 Example Street`: house number from the index, street from the variant."""
    return f"{index % 9_000 + 1} {_STREETS[variant % len(_STREETS)]}"


def zip_code(index: int) -> str:
    """Five digits that begin with 000: text, so that its zeros survive."""
    return f"{index % 99 + 1:05d}"
