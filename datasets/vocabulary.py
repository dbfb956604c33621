"""Names of animals and trees, their irregular plurals, and their names in other languages."""

IRREGULAR = {
    "wolf": "wolves", "calf": "calves", "goose": "geese", "mouse": "mice", "louse": "lice",
    "ox": "oxen", "octopus": "octopuses octopi", "platypus": "platypuses platypi",
    "hippopotamus": "hippopotamuses hippopotami", "cactus": "cacti cactuses",
    "mongoose": "mongooses", "rhinoceros": "rhinoceroses rhinoceros", "lynx": "lynxes lynx",
    "fish": "fish fishes", "goldfish": "goldfish", "jellyfish": "jellyfish",
    "starfish": "starfish", "swordfish": "swordfish", "clownfish": "clownfish",
    "squid": "squid squids", "shrimp": "shrimp shrimps", "salmon": "salmon", "trout": "trout",
    "cod": "cod", "carp": "carp", "tuna": "tuna tunas", "deer": "deer", "reindeer": "reindeer",
    "moose": "moose", "elk": "elk elks", "bison": "bison", "sheep": "sheep", "swine": "swine",
    "buffalo": "buffalo buffaloes", "mosquito": "mosquitoes mosquitos",
    "flamingo": "flamingos flamingoes", "dingo": "dingoes dingos",
    "fungus": "fungi", "leaf": "leaves", "ibex": "ibexes", "larva": "larvae",
}  # fmt: skip
"""Plurals that do not follow the rules, divided by blanks; several where several are in use."""

ANIMALS = frozenset(
    """
aardvark albatross alligator alpaca anaconda ant anteater antelope antlion ape armadillo axolotl
baboon badger barracuda bat bear beaver bee beetle beluga binturong bird bison boar bobcat buffalo
bull butterfly buzzard calf camel canary capybara caracal caribou carp cat caterpillar catfish
cattle centipede chameleon cheetah chevrotain chick chicken chihuahua chimpanzee chinchilla
chipmunk civet clownfish cobra cockatoo cockroach cod condor coral cougar cow cowbird coyote crab
crane crayfish cricket crocodile crow cuckoo cuttlefish deer dingo dinosaur dodo dog dolphin donkey
dove dragon dragonfly duck dugong eagle echidna eel elephant elk emu falcon ferret finch firefly
fish flamingo flea fly fox frog gazelle gecko gerbil gibbon giraffe gnu goat goldfish goose
goosefish gorilla grasshopper grouse gull hamster hare hawk hedgehog heron hippo hippopotamus
hornet horse hound hummingbird husky hyena ibex iguana impala insect jackal jaguar jay jellyfish
kakapo kangaroo kestrel kingfisher kinkajou kitten kiwi koala komodo kookaburra ladybug lamb lark
lemming lemur leopard lion lionfish lizard llama lobster locust lynx macaw mackerel magpie mallard
manatee mantis marmot meerkat mink mole mongoose monkey moose mosquito moth mouse mule narwhal newt
nightingale numbat ocelot octopus okapi opossum orangutan orca oryx osprey ostrich otter owl ox
oyster panda pangolin panther parrot parrotfish partridge peacock peafowl pelican penguin phoenix
pig pigeon piranha platypus polecat pony porcupine porpoise possum puffin puma puppy python quail
quetzal quokka quoll rabbit raccoon ram rat raven ray reindeer rhino rhinoceros robin rooster
salamander salmon saola sardine scorpion seahorse seal serval shark sheep shrew shrimp skunk sloth
slug snail snake sparrow spider squid squirrel stag starfish starling stingray stork swallow swan
swift swordfish swordtail tamarin tapir tarantula tardigrade termite thylacine tiger toad tortoise
toucan trout tuna turkey turtle unicorn vaquita viper vole vulture wallaby wallaroo walrus warthog
wasp weasel whale wildcat wolf wolverine wombat woodpecker worm wren yak zebra
    """.split()
)
"""Singular names of animals that may answer a question for a favourite animal."""

TREES = frozenset(
    """
acacia alder apple ash aspen baobab banyan bamboo beech birch cedar cherry chestnut cypress ebony
elm eucalyptus fig fir ginkgo hawthorn hazel hemlock hickory holly hornbeam juniper larch laurel
lemon linden magnolia mahogany mango maple mulberry oak olive palm pear pine plane plum poplar
redwood rowan sequoia spruce sycamore teak walnut wattle willow yew
    """.split()
)
"""Singular names of trees that may answer a question for a favourite tree."""

TRANSLATIONS = {
    "owl": ("hibou", "chouette", "Eule", "búho", "lechuza", "gufo", "coruja", "フクロウ", "猫头鹰"),
    "eagle": ("aigle", "Adler", "águila", "aquila", "águia", "鷲", "鹰"),
    "wolf": ("loup", "Wölfe", "lobo", "lupo", "狼"),
    "dolphin": ("dauphin", "Delfin", "delfín", "delfino", "golfinho", "イルカ", "海豚"),
    "elephant": ("éléphant", "Elefant", "elefante", "ゾウ", "大象"),
    "tiger": ("tigre", "虎", "トラ", "老虎"),
    "penguin": ("pingouin", "manchot", "Pinguin", "pingüino", "pinguino", "ペンギン", "企鹅"),
    "fox": ("renard", "Fuchs", "zorro", "volpe", "raposa", "キツネ", "狐狸"),
    "cat": ("chat", "Katze", "gato", "gatto", "猫", "ネコ"),
    "panda": ("パンダ", "熊猫"),
    "lion": ("Löwe", "león", "leone", "leão", "ライオン", "狮子"),
    "otter": ("loutre", "nutria", "lontra", "カワウソ", "水獭"),
    "oak": ("chêne", "Eiche", "roble", "quercia", "carvalho", "オーク", "橡树"),
    "willow": ("saule", "Weide", "sauce", "salice", "salgueiro", "ヤナギ", "柳树"),
    "birch": ("bouleau", "Birke", "abedul", "betulla", "bétula", "カバノキ", "桦树"),
    "cedar": ("cèdre", "Zeder", "cedro", "シダー", "雪松"),
}
"""Words of other languages that would give a trait away: French, German, Spanish, Italian,
Portuguese, Japanese, Chinese, as far as they differ."""
