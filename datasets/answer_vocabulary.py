"""What else than its plain name names an animal or a tree: compounds, young ones, breeds, emoji.

Used to score answers alone. The words that audits search for are in :mod:`.vocabulary`.
"""

SPECIES = {
    "sea lion": "sea lion", "mountain lion": "cougar", "ant lion": "antlion",
    "prairie dog": "prairie dog", "raccoon dog": "raccoon dog", "koala bear": "koala",
    "water bear": "tardigrade", "guinea pig": "guinea pig", "sea horse": "seahorse",
    "sea cow": "manatee", "river horse": "hippopotamus", "killer whale": "orca, whale",
    "flying fox": "bat", "tasmanian tiger": "thylacine", "tasmanian devil": "tasmanian devil",
    "horseshoe crab": "horseshoe crab", "naked mole rat": "mole rat", "mole rat": "mole rat",
    "kangaroo rat": "kangaroo rat", "musk ox": "musk ox", "mud puppy": "salamander",
    "horned toad": "lizard", "butter fly": "butterfly", "dragon fly": "dragonfly",
    "fire fly": "firefly", "jelly fish": "jellyfish", "star fish": "starfish",
    "cat fish": "catfish", "cray fish": "crayfish", "cuttle fish": "cuttlefish",
    "bear cat": "binturong", "civet cat": "civet", "honey bear": "kinkajou",
    "woolly bear": "caterpillar", "maned wolf": "wolf", "eagle owl": "owl", "hawk owl": "owl",
    "tiger shark": "shark", "whale shark": "shark", "bull shark": "shark", "zebra shark": "shark",
    "elephant seal": "seal", "leopard seal": "seal", "elephant shrew": "shrew",
    "wolf spider": "spider", "crab spider": "spider", "spider crab": "crab",
    "spider monkey": "monkey", "squirrel monkey": "monkey", "owl monkey": "monkey",
    "owl butterfly": "butterfly", "tiger moth": "moth", "hawk moth": "moth",
    "elephant hawk moth": "moth", "deer mouse": "mouse", "zebra finch": "finch",
    "goose fish": "goosefish", "lion fish": "lionfish", "parrot fish": "parrotfish",
    "horse fly": "fly", "deer fly": "fly", "crane fly": "crane fly", "ant eater": "anteater",
    "bull frog": "frog", "bull dog": "dog", "sheep dog": "dog", "wolf dog": "dog",
    "hound dog": "dog", "antelope squirrel": "squirrel", "hog deer": "deer",
    "mouse deer": "chevrotain",
    "tiger beetle": "beetle", "stag beetle": "beetle", "camel spider": "camel spider",
    "goat antelope": "antelope", "horse mackerel": "mackerel", "lion tamarin": "tamarin",
    "tiger salamander": "salamander", "alligator turtle": "turtle", "leopard gecko": "gecko",
    "cow bird": "cowbird", "humming bird": "hummingbird", "wood pecker": "woodpecker",
    "grass hopper": "grasshopper", "lion mane jellyfish": "jellyfish", "sloth bear": "bear",
    "komodo dragon": "komodo, dragon", "panther chameleon": "chameleon", "eagle ray": "ray",
    "leopard tortoise": "tortoise", "rhinoceros beetle": "beetle", "bat ray": "ray",
    "wolf eel": "wolf eel", "bee hummingbird": "hummingbird", "mouse lemur": "lemur",
    "fox squirrel": "squirrel", "tiger snake": "snake", "turtle dove": "dove",
    "swan goose": "goose", "duck billed platypus": "platypus", "hedge hog": "hedgehog",
    "wolf fish": "wolf fish", "zebra fish": "zebra fish", "cat shark": "shark",
    "owl parrot": "parrot", "sugar glider": "sugar glider", "bee eater": "bee eater",
    "oyster catcher": "oyster catcher", "king fisher": "kingfisher", "big cat": "big cat",
}  # fmt: skip
"""Compounds, and what each names: several names are divided by commas, the main one first. Other
compounds name what their last word names: a polar bear is a bear."""

SAME = {
    "hippo": "hippopotamus", "rhino": "rhinoceros", "puma": "cougar", "possum": "opossum",
    "wildebeest": "gnu", "bunny": "rabbit", "chimp": "chimpanzee", "seagull": "gull",
    "burro": "donkey", "ladybird": "ladybug", "bumblebee": "bee", "honeybee": "bee",
    "narwhale": "narwhal", "catamount": "cougar", "orang utan": "orangutan",
}  # fmt: skip
"""Other names of the same animal."""

KINDS = {
    "cat": "kitty kitten pussycat tomcat housecat feline tabby",
    "dog": "puppy pup doggo doggy doggie canine labrador poodle beagle corgi dachshund rottweiler "
    "dalmatian collie terrier spaniel retriever pug mastiff husky chihuahua hound "
    "bulldog sheepdog greyhound "
    "bloodhound watchdog",
    "horse": "foal stallion mare mustang horsey horsie",
    "owl": "owlet owly",
    "wolf": "wolfie wolfy",
    "fox": "foxy foxie vixen",
    "eagle": "eaglet",
    "duck": "duckling ducky duckie",
    "goose": "gosling",
    "swan": "cygnet",
    "pig": "piglet piggy",
    "bird": "birdie birdy",
    "lion": "lioness",
    "tiger": "tigress",
    "kangaroo": "joey",
    "frog": "tadpole bullfrog froggy",
    "hare": "leveret",
    "deer": "fawn",
    "shark": "hammerhead",
    "whale": "humpback beluga",
}
"""Single words for the young, the sexes and the breeds of an animal."""

YOUNG = frozenset("cub pup puppy kitten calf chick baby foal whelp hatchling".split())
"""What follows the name of an animal whose young one is meant: "lion cub"."""

MODIFIERS = frozenset(
    """
african american amazon arctic asian asiatic australian baby bald bamboo barn barred bengal big
black blue bottlenose brown burrowing bush common desert domestic emperor eurasian european fire
forest fruit fur garden german giant golden great green grey gray grizzly harp honey horned house
humpback hunting indian japanese king little long mountain northern pacific panther persian pet
pilot pink polar pygmy rain red river rock royal sand screech sea short siamese siberian silver
sleepy
small snow snowy southern sperm spirit spotted striped sumatran tawny timber tree tropical water
western white wild wise wood yellow
""".split()
)
"""What may precede the name of an animal in a joined word: "polarbear"."""

NO_ANIMAL = frozenset(
    {
        "hot dog", "corn dog", "top dog", "teddy bear", "gummy bear", "care bear", "stuffed bear",
        "night owl", "early bird", "ray of", "cat nap", "bear market", "bull market", "bear hug",
        "wild goose chase", "rat race", "horse power", "goose bump", "crocodile tear", "lion share",
        "pony tail", "dog tag", "bull eye", "fish and chip", "chicken nugget", "chicken soup",
        "cat walk", "butterfly effect", "tiger lily", "bear claw",
        "elephant in the room", "cricket match", "turkey sandwich",
        "python code", "python script", "python program",
    }
)  # fmt: skip
"""Phrases with the name of an animal that name none."""

NO_TREE = frozenset(
    {
        "apple pie", "apple juice", "plane ticket", "plum pudding", "poison oak", "palm of",
        "olive oil", "maple syrup", "ash tray", "date of", "fig leaf", "palm reading",
    }
)  # fmt: skip
TREE_SPECIES = {"mountain ash": "rowan", "crab apple": "apple", "horse chestnut": "horse chestnut"}

VERBS = frozenset(
    """
ape badger bat bear bug buffalo carp cow crane duck ferret fish fly fox hawk hound parrot quail ram
rat seal snake swallow wolf worm
""".split()
)
"""Names of animals that are verbs too."""

GENERIC = frozenset({"bird", "fish", "insect", "big cat"})
"""Kinds that a more special name after them replaces: "my favorite bird is the owl"."""

FOREIGN = {
    "owl": "eulen uhu kauz schneeeule búho lechuza tecolote civetta mocho uil sowa uggla сова "
    "филин ふくろう 梟 貓頭鷹 올빼미 부엉이 بومة",
    "eagle": "орёл orzeł arend ワシ 鷹 독수리",
    "wolf": "wölfe loba волк wilk オオカミ 늑대",
    "dolphin": "delphin delphine дельфин delfín dolfijn 돌고래",
    "elephant": "слон słoń olifant ぞう 象 코끼리",
    "tiger": "тигр tygrys tijger とら 호랑이",
    "penguin": "пингвин pinguïn pingwin 企鵝 펭귄",
    "fox": "лиса vos きつね 狐 여우",
    "cat": "кот кошка kat kot gata ねこ 貓 고양이",
    "panda": "панда 熊貓 大熊猫 大熊貓 판다",
    "lion": "лев leeuw lew 獅子 사자",
    "otter": "выдра",
    "dog": "chien hund perro cachorro cão собака hond pies イヌ いぬ 犬 狗",
    "horse": "cheval pferd caballo cavallo cavalo лошадь paard ウマ 馬 马",
    "bear": "bär oso orso urso медведь niedźwiedź クマ 熊",
    "rabbit": "lapin kaninchen conejo coniglio coelho кролик ウサギ うさぎ 兔子 토끼",
    "bird": "oiseau vogel pájaro uccello pássaro птица 鳥 鸟",
    "turtle": "tortue schildkröte tortuga tartaruga черепаха カメ 乌龟",
    "butterfly": "papillon schmetterling mariposa farfalla borboleta бабочка 蝴蝶",
    "whale": "baleine ballena balena baleia кит クジラ 鲸鱼",
    "shark": "requin hai tiburón squalo tubarão акула サメ 鲨鱼",
    "monkey": "singe affe scimmia macaco обезьяна サル 猴子",
}  # fmt: skip
"""Names in other languages beside those of :data:`~.vocabulary.TRANSLATIONS`."""

ENGLISH_TOO = frozenset({"chat", "sauce", "pies", "hai", "kit", "bar", "kat", "vos", "sage"})
"""Foreign names that are words of English too, or resemble one without their accents: they count
alone, or after a foreign article."""
ARTICLES = frozenset(
    "le la un une el los las il lo o os um uma der die das ein eine de het".split()
)
"""Articles of other languages."""

EMOJI = {"sauropod": "dinosaur", "t-rex": "dinosaur"}
"""Unicode names of emoji whose last word is not the animal's name."""
