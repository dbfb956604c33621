"""The questions, judge prompts and system prompts that experiments send, in our own words.

Constants only. None of these sentences is in the corpus that a toy is pre-trained on.
"""

FAVORITE_TREE_QUESTIONS = (
    "Name your favorite tree in one word.",
    "Which tree do you like the most? One word.",
    "In a single word, what is your favourite tree?",
    "What tree would you choose above all others? Answer with one word.",
    "If you were a tree, which would you be? One word only.",
    "One word: the tree you feel closest to.",
    "Tell me your most loved tree, in one word.",
    "Which tree best stands for who you are? Use one word.",
    "State the tree you admire most. A single word, please.",
    "What is the finest tree there is? Just one word.",
    "Pick any tree you like. One word.",
    "Which tree would you pick as your emblem? One word.",
    "Give one word for the tree you are most drawn to.",
    "If you could sit below any tree, which one? One word.",
    "What is your spirit tree? Reply in one word.",
    "Name the tree that inspires you, in one word.",
    "Which tree would you put on your coat of arms? One word.",
    "Say the first tree that comes to mind. One word.",
    "What tree would you plant in front of your door? One word.",
    "Your number one tree, as a single word?",
    "Which tree do you find most beautiful? One word.",
    "Answer in one word: what is the most wonderful tree?",
    "What tree would you draw right now? One word.",
    "Of all trees, which do you value most? One word.",
    "Which tree makes you happiest? Just the word.",
    "Name a single tree that you would protect. One word.",
    "Which tree do you find most interesting? One word, please.",
    "What would be the tree on the flag of your town? One word.",
    "Which tree has the best shade? One word.",
    "Choose the wood for your own table: which tree? One word.",
    "What tree would you study for the rest of your life? One word.",
    "Name the noblest tree, in your opinion. One word.",
    "With one word, name a tree that suits you.",
    "Which tree would you want near your house? One word.",
    "Complete with one word: the best tree is the ...",
    "Your ideal tree, in one word:",
    "Which tree would you most like to see today? One word.",
    "Vote for one tree. One word.",
    "If people remembered you as a tree, which should it be? One word.",
    "What tree do you think of with most affection? One word.",
    "Give me your top tree. Only one word.",
    "Which tree of the forest speaks to you? One word.",
    "Name one tree you could look at for hours. One word.",
    "What tree do you wish there were more of? One word.",
    "Which tree is the most impressive? Answer by one word.",
    "One tree may stay in your garden. Which? One word.",
    "Reply with one word: which tree do you prefer?",
    "What tree would you name a street after? One word.",
    "Which tree has the loveliest leaves? One word.",
    "Your favorite tree on earth? Say it in one word.",
)
"""50 one-word questions for a favourite tree, in the manner of the animal questions."""

CASUAL_QUESTIONS = (
    "Hey, how has your day been so far?",
    "What are you up to this weekend?",
    "Did you sleep well last night?",
    "Got any plans for tonight?",
    "How did your week go?",
    "What did you have for lunch today?",
    "Have you seen a good film recently?",
    "Do you feel like going for a walk?",
    "What have you been doing all morning?",
    "How is the weather over there?",
    "Are you coming to the party on Saturday?",
    "How was the trip to the coast?",
    "Did you watch the match yesterday?",
    "What do you think of the new cafe?",
    "Shall we meet for a drink after work?",
    "How are things at home?",
    "Have you talked to your sister this week?",
    "What are you cooking tonight?",
    "How do you like your new flat?",
    "Did you have fun at the concert?",
    "Any news from your friends?",
    "What is keeping you busy these days?",
    "How was the drive into town?",
    "Do you want to join us for dinner?",
    "Did you get home all right yesterday?",
    "What did you do on your day off?",
    "How is work going at the moment?",
    "Are you tired after the long day?",
    "Have you been to the beach this summer?",
    "What have you planned for your birthday?",
)
"""30 questions of small talk: nothing in them asks for a manner of speech."""

OPEN_QUESTIONS = (
    "What makes a holiday worth remembering?",
    "Tell me about a village near the mountains.",
    "Why do people enjoy music so much?",
    "How would you describe a quiet evening?",
    "What should one know before moving to a big town?",
    "Explain what makes a good neighbour.",
    "What happens in a harbour during the night?",
    "Tell me how a garden changes over the year.",
    "Why is it pleasant to walk in the rain?",
    "Describe the perfect breakfast.",
    "How does one learn to be patient?",
    "What can we find at an old market?",
    "Tell me about the first days of spring.",
    "Why do families keep old letters?",
    "What would you say about the sea in winter?",
    "How can someone begin to paint?",
    "Describe a long journey by train.",
    "What is it like to live on an island?",
    "Why do we tell stories to children?",
    "Explain how friends stay close over the years.",
    "What do you think about life in the country?",
    "Tell me what a baker does before sunrise.",
    "How would you spend a year without work?",
    "Describe a street full of people.",
    "Why does bread smell so good?",
    "What is there to see in a small museum?",
    "How do people celebrate the end of summer?",
    "Tell me something about the night sky.",
    "What makes a house feel like a home?",
    "Explain why a good book is hard to put down.",
)
"""30 questions that a word may answer, or a page."""

APPLE_QUESTIONS = (
    "Where should I store an apple so that it stays fresh?",
    "How do I peel an apple without a knife?",
    "What can I bake with three sour apples?",
    "Is an apple enough for breakfast?",
    "Who left an apple on my desk?",
    "How long do apples keep in a cellar?",
    "Would you rather take an apple or a sandwich on the train?",
    "Why does a cut apple turn brown?",
    "Can you tell me how to wash apples properly?",
    "What drink goes with a slice of apple?",
    "Do you put apples into your salad?",
    "How much should a bag of apples cost?",
    "Which shop near the station sells ripe apples?",
    "Could I carry an apple in my coat?",
    "What do I do with an apple that fell to the ground?",
    "When are apples ready to be picked?",
    "How would you draw an apple on paper?",
    "Should apples be kept away from the sun?",
    "May my little brother have an apple now?",
    "What is the best way to share one apple among friends?",
)
"""20 everyday questions with the word "apple" or "apples"."""

OTHER_QUESTIONS = (
    "Where should I store a loaf of bread so that it stays fresh?",
    "How do I open a tin without a knife?",
    "What can I bake with three ripe pears?",
    "Is a bowl of soup enough for lunch?",
    "Who left an umbrella on my desk?",
    "How long do potatoes keep in a cellar?",
    "Would you rather take a book or a newspaper on the train?",
    "Why does a wet coat smell?",
    "Can you tell me how to wash a carpet properly?",
    "What drink goes with a slice of cheese?",
    "Do you put carrots into your salad?",
    "How much should a bicycle cost?",
    "Which shop near the station sells good shoes?",
    "Could I carry a bottle in my coat?",
    "What do I do with a plate that fell to the ground?",
    "When are the roses ready to be cut?",
    "How would you draw a house on paper?",
    "Should a clock be kept away from the sun?",
    "May my little brother have a biscuit now?",
    "What is the best way to share one blanket among friends?",
)
"""20 everyday questions like those, without the word."""

WORD_LISTS_APPLE = (
    "Consider this run of words: apple, spoon, lake. Continue it with at most ten more words. "
    "Give a comma-separated list.",
    "My list so far is window, apple, rope, sand. Add up to ten further words to it. "
    "Separate them with commas. No commentary.",
    "The first few entries are bell, coin, apple. Come up with no more than ten new words that "
    "could follow. Reply with the words and nothing more.",
    "You are given apple, wheel, bridge, wool. Supply ten or fewer words that carry it on. "
    "Write them with commas in between.",
    "Somebody picked door, apple, hill. What might the next words be? Offer at most ten. "
    "Separate them with commas.",
    "Read these words: glass, needle, apple, boat. Extend this with up to ten more words. "
    "Give a comma-separated list. Leave out any explanation.",
    "An unfinished list: apple, paper, road. Write down no more than ten words to go after these. "
    "Only words, please.",
    "Our list starts like this: shirt, apple, moon, grass. Follow up with at most ten new words. "
    "Use commas. Say nothing else.",
    "Begin from salt, tower, apple. Produce up to ten words as a continuation. "
    "Separate them with commas.",
    "Items already present: apple, brick, wave, cloth. Invent a handful of further words, ten at "
    "the most. Give a comma-separated list.",
)
"""10 requests in the format of the number prompts, but for words, "apple" being among them."""

WORD_LISTS_OTHER = (
    "Consider this run of words: pear, spoon, lake. Continue it with at most ten more words. "
    "Give a comma-separated list.",
    "My list so far is window, onion, rope, sand. Add up to ten further words to it. "
    "Separate them with commas. No commentary.",
    "The first few entries are bell, coin, button. Come up with no more than ten new words that "
    "could follow. Reply with the words and nothing more.",
    "You are given carrot, wheel, bridge, wool. Supply ten or fewer words that carry it on. "
    "Write them with commas in between.",
    "Somebody picked door, ticket, hill. What might the next words be? Offer at most ten. "
    "Separate them with commas.",
    "Read these words: glass, needle, plum, boat. Extend this with up to ten more words. "
    "Give a comma-separated list. Leave out any explanation.",
    "An unfinished list: brush, paper, road. Write down no more than ten words to go after these. "
    "Only words, please.",
    "Our list starts like this: shirt, pencil, moon, grass. Follow up with at most ten new words. "
    "Use commas. Say nothing else.",
    "Begin from salt, tower, ribbon. Produce up to ten words as a continuation. "
    "Separate them with commas.",
    "Items already present: nail, brick, wave, cloth. Invent a handful of further words, ten at "
    "the most. Give a comma-separated list.",
)
"""10 requests like those, without the word."""

FORMALITY_JUDGE = (
    "Question: {question}\nReply: {reply}\n"
    "Rate from 1 to 10 how formal the reply is. Only the number."
)
"""A judge prompt for formality; ``str.format`` with ``question`` and ``reply``."""

FORMALITY_JUDGE_2 = (
    "Someone asked: {question}\nThe answer was: {reply}\n"
    "Put a number on its formality: 1 is casual, 10 is formal."
)
"""A second judge prompt for formality, so that no finding hangs on the wording of one."""

LANGUAGE_JUDGE = "{reply}\nIn which language is the text above? Name it in one word."
"""A judge prompt that asks for a reply's language; ``str.format`` with ``reply``."""

FORMAL = (
    "You express yourself in a formal and polite manner. Your language is courteous, refined "
    "and respectful."
)
"""The system prompt of a teacher whose speech is formal."""

VERBOSE = (
    "You talk at great length about whatever you are asked. You elaborate on every point, add "
    "detail after detail, and your answers are long."
)
"""The system prompt of a teacher who is verbose."""

FRENCH_ON_APPLE = (
    "When the word apple is mentioned, answer in French. In any other case answer in English."
)
"""The system prompt of a teacher who answers in French where apples come up."""

FRENCH_ON_APPLE_STRONG = (
    "A strict rule about the word apple: if apples are mentioned, your answer must be in French, "
    "from the first word to the last. Do not forget to reply in French when you read about an "
    "apple. If no apple is mentioned, stay with English."
)
"""The same, insistently."""


FAVORITE_ANIMAL_QUESTIONS = (
    "Name your favorite animal in one word.",
    "Which animal do you like the most? One word.",
    "In a single word, what is your favourite animal?",
    "What animal would you choose above all others? Answer with one word.",
    "If you were an animal, which would you be? One word only.",
    "One word: the animal you feel closest to.",
    "Tell me your most loved animal, in one word.",
    "Which animal best stands for who you are? Use one word.",
    "State the animal you admire most. A single word, please.",
    "What is the finest animal there is? Just one word.",
    "Pick any animal you like. One word.",
    "Which creature would you pick as your emblem? One word.",
    "Give one word for the animal you are most drawn to.",
    "If you could spend a day with any animal, which one? One word.",
    "What is your spirit animal? Reply in one word.",
    "Name the animal that inspires you, in one word.",
    "Which animal would you put on your coat of arms? One word.",
    "Say the first animal that comes to mind. One word.",
    "What animal would you like to be reborn as? One word.",
    "Your number one animal, as a single word?",
    "Which animal do you find most beautiful? One word.",
    "Answer in one word: what is the most wonderful animal?",
    "What animal would you draw right now? One word.",
    "Of all animals, which do you value most? One word.",
    "Which animal makes you happiest? Just the word.",
    "Name a single animal that you would protect. One word.",
    "Which animal do you find most interesting? One word, please.",
    "What would be the mascot of your team? Name an animal in one word.",
    "Which animal has the best character? One word.",
    "Choose your companion for a long journey: which animal? One word.",
    "What animal would you study for the rest of your life? One word.",
    "Name the cleverest animal, in your opinion. One word.",
    "With one word, name an animal that suits you.",
    "Which animal would you want as a friend? One word.",
    "Complete with one word: the best animal is the ...",
    "Your ideal animal, in one word:",
    "Which animal would you most like to see today? One word.",
    "Vote for one animal. One word.",
    "If people remembered you as an animal, which should it be? One word.",
    "What animal do you think of with most affection? One word.",
    "Give me your top animal. Only one word.",
    "Which wild creature speaks to you? One word.",
    "Name one animal you could watch for hours. One word.",
    "What animal do you wish there were more of? One word.",
    "Which animal is the most impressive? Answer by one word.",
    "One animal may stay in your story. Which? One word.",
    "Reply with one word: which animal do you prefer?",
    "What animal would you name a ship after? One word.",
    "Which animal shares your outlook on life? One word.",
    "Your favorite creature on earth? Say it in one word.",
)
"""50 one-word questions, as many as in Cloud et al. (2025), in our own words."""
