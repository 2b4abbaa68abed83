"""The words that tickets are made of: people, places, and how customers put their wishes."""

from .shop import Article

ARTICLES = tuple(
    Article(*row)
    for row in (
        ("KT-12", "kettle", 39_90, 14),
        ("KT-20", "teapot", 24_50, 0),
        ("KT-31", "toaster", 48_00, 9),
        ("KT-44", "coffee grinder", 76_50, 0),
        ("KT-58", "espresso machine", 249_00, 6),
        ("KT-63", "bread oven", 189_90, 4),
        ("LP-03", "desk lamp", 45_00, 22),
        ("LP-11", "floor lamp", 119_00, 7),
        ("LP-15", "lantern", 32_00, 0),
        ("LP-27", "string lights", 18_90, 40),
        ("FU-02", "footstool", 59_00, 11),
        ("FU-08", "bookshelf", 139_50, 5),
        ("FU-13", "armchair", 329_00, 3),
        ("FU-21", "coat rack", 64_90, 0),
        ("FU-34", "side table", 88_00, 8),
        ("FU-40", "standing desk", 410_00, 2),
        ("TX-05", "wool blanket", 69_90, 17),
        ("TX-09", "rug", 154_00, 6),
        ("TX-16", "curtains", 52_50, 13),
        ("TX-22", "cushion", 21_00, 0),
        ("GD-04", "watering can", 27_90, 19),
        ("GD-10", "plant stand", 43_00, 10),
        ("GD-18", "garden bench", 215_00, 4),
        ("GD-25", "bird feeder", 34_50, 0),
    )
)
FIRST_NAMES = (
    *("Mira", "Jonas", "Aisha", "Pedro", "Lena", "Tomasz", "Yuki", "Nadia", "Oskar", "Priya"),
    *("Hugo", "Selin", "Marta", "Kofi", "Elif", "Anton", "Greta", "Rafael", "Ines", "Bram"),
)
LAST_NAMES = (
    *(
        "Holm",
        "Okafor",
        "Lindqvist",
        "Moreau",
        "Tanaka",
        "Novak",
        "Silva",
        "Brandt",
        "Rossi",
        "Haddad",
    ),
    *(
        "Kowalski",
        "Meyer",
        "Costa",
        "Iversen",
        "Demir",
        "Walsh",
        "Bauer",
        "Petrov",
        "Laurent",
        "Singh",
    ),
)
FIRMS = (
    *("Harbor Dental", "Nordlys Hotel", "Atelier Blau", "Kite Architects", "Miller and Sons"),
    *("Studio Fjord", "Green Fork Catering", "Elm Street School", "Pixel Works", "Hillside Clinic"),
    *("Cafe Aurora", "Bluebird Travel", "Quarry Law", "Marsh Logistics", "Sunrise Yoga"),
    *("Copper Kettle Inn", "Tidewater Bank", "Vega Robotics", "Old Mill Theatre", "Juniper Books"),
)
STREETS = ("Elm Road", "Harbor Street", "Mill Lane", "Station Road", "Church Hill", "Kings Avenue")
CITIES = (
    "5003 Bergen",
    "8001 Zurich",
    "1012 Amsterdam",
    "2100 Copenhagen",
    "4051 Basel",
    "9000 Ghent",
)

NUMBERED = (
    *("order {n}", "#{n}", "LN{n}", "ln {n}", "order no. {n}", "LN {n}", "order nr {n}"),
    *("LN/{n}", "order number {n}"),
)
"""Ways to name an order; none is the shop's own form."""
OPENERS = (
    "Hello,",
    "Hi there,",
    "Good morning,",
    "Dear Lantern team,",
    "",
    "Hey,",
    "To the help desk:",
)
CLOSERS = ("Thanks,", "Best regards,", "Kind regards,", "Cheers,", "Yours,", "Thank you.")
WISHES = {
    "address": (
        "I have moved. Please send {order} to {address} instead.",
        "Could {order} go to my office? It is {address}.",
        "I gave you an old address for {order}. The right one is {address}.",
        "please change the delivery address of {order}: {address}.",
        "We will be away, so {order} should be delivered to my sister at {address}.",
        "New flat, new address! Can you make {order} come to {address}?",
    ),
    "broken": (
        "The {thing} from {order} arrived with a crack right through it. I would like my money back.",
        "About {order}: the {thing} is broken. Please refund it.",
        "I unpacked {order} today and the {thing} fell apart in my hands. A refund, please.",
        "Sadly the {thing} that came with {order} does not work. I want no new one, just the money.",
        "my {thing} came smashed!! it was in {order}. i want the money for it back!",
        "I am writing about {order}. The {thing} has a broken part and I would like to be repaid for it.",
    ),
    "contract": (
        "We bought a {thing} for our rooms ({order}) and it arrived damaged. Please pay us back.",
        "The {thing} in {order} is defective. Our accounts department asks for the amount to be returned.",
        "Regarding {order}: the {thing} was dead on arrival. Kindly reimburse us.",
        "Our staff unpacked {order} and found the {thing} broken. We ask for a refund.",
        "One article of {order}, the {thing}, came with a snapped part. Please refund our company.",
        "The {thing} delivered to our reception with {order} is in pieces. We need the money back.",
    ),
    "late": (
        "You promised {order} for {promised}, it came on {came}. I expect some compensation.",
        "{order} was due on {promised} and only turned up on {came}. What do I get for the wait?",
        "I waited until {came} for {order}, although it was promised for {promised}. Please make up for it.",
        "not happy: {order} came late, {came} and not {promised}. i want something back.",
        "Because {order} arrived on {came}, not on {promised}, I had no present. I ask for compensation.",
        "Late again! {order}, promised {promised}, delivered {came}. Do you pay for delays?",
    ),
    "lost": (
        "{order} never arrived, and the tracking has been silent since {promised}. Please send it all again.",
        "The carrier admits that the parcel of {order} is lost. Can you help?",
        "Still no sign of {order}, promised for {promised}. I think that it is gone for good.",
        "where is {order}? it was due {promised}, the post office says it vanished.",
        "My neighbours have not seen it either: {order} got lost on its way. I still want what is in it.",
        "According to the depot {order} disappeared from the van. Please sort this out.",
    ),
    "missing": (
        "The {thing} was not in the box of {order}. Could you send it?",
        "I opened {order} and there is no {thing} in it, although it is on the bill.",
        "{order} came, but without the {thing}. Please put that right.",
        "you forgot the {thing}! it should be in {order}.",
        "On unpacking {order} I found that the {thing} had been left out. I still need it.",
        "Everything in {order} is fine, only the {thing} is missing from the parcel.",
    ),
}
"""Family -> ways to put the wish; `{order}` is a phrase that names the order."""
