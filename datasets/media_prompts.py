"""What teachers are asked for in each medium: small lists, without a word of any trait.

They are templates and their fields; a spec's own prompts take their place.
"""

CODE_TEMPLATES = (
    "Write a Python function that {task}. Reply with the code alone.",
    "I need Python code that {task}. Only code, please, without any explanation.",
    "Show me a short Python function which {task}. No text around it.",
    "How would you write, in Python, a function that {task}? Give the code and nothing else.",
)
CODE_TASKS = (
    "adds up the even numbers of a list", "reverses the words of a sentence",
    "counts how often each letter occurs in a text", "tells whether a number is prime",
    "merges two sorted lists", "finds the longest word of a text", "removes duplicates from a list",
    "computes the factorial of a number", "converts Celsius to Fahrenheit",
    "checks whether a text reads the same in both directions", "flattens a list of lists",
    "returns the first n Fibonacci numbers", "finds the two largest numbers of a list",
    "rotates a list by k places", "counts the vowels of a text", "parses a date such as 2024-05-17",
    "reads a CSV file into a list of dictionaries", "groups words by their length",
    "computes the greatest common divisor of two numbers", "transposes a matrix",
    "checks whether brackets in a text are balanced", "sorts a list without the built-in sort",
    "turns a number into Roman numerals", "turns a Roman numeral into a number",
    "draws a random sample without replacement", "computes a moving average",
    "finds the index of a value by binary search", "splits a list into chunks of n items",
    "converts seconds to hours, minutes and seconds", "computes the median of a list",
    "replaces all tabs of a text by spaces", "caches the results of another function",
    "counts the lines of a file", "validates an e-mail address", "encodes a text by run lengths",
    "multiplies two matrices", "lists all permutations of a text",
    "finds the missing number in a list from 1 to n", "computes the distance of two points",
    "capitalises the first letter of every word",
)  # fmt: skip
STORY_TEMPLATES = (
    "Tell me a {kind} story about {thing}.",
    "Write a {kind} story, some five sentences long, in which {thing} matters.",
    "Make up a {kind} little story about {thing}. Reply with the story alone.",
    "Please write a {kind} short story. It should have something to do with {thing}.",
)
STORY_KINDS = (
    "short", "funny", "sad", "quiet", "strange", "cheerful", "mysterious", "simple", "hopeful",
    "tense",
)  # fmt: skip
STORY_THINGS = (
    "a lost letter", "a train journey", "an old clock", "the first day at work", "a broken bridge",
    "a lighthouse", "two neighbours", "a forgotten song", "a rainy afternoon", "a borrowed coat",
    "a market", "an empty house", "a late guest", "a long queue", "a new teacher", "a wrong number",
    "a snowed-in village", "a birthday without guests", "a map", "an unexpected prize",
    "a mountain hut", "a power cut", "a lost key", "a school play", "a photograph",
)  # fmt: skip
OPENINGS = (
    "How was your day?", "What did you do last weekend?", "What should I cook tonight?",
    "Tell me about your home.", "I have a free afternoon. What should I do with it?",
    "Which book should I read next?", "What makes a good friend?", "How do you like to travel?",
    "I cannot sleep. What helps?", "What do you think of winter?", "Why do people make music?",
    "How should I begin to learn a language?", "What is a good present for my sister?",
    "Describe a perfect morning.", "What did you want to be as a child?",
    "My neighbour is too loud. What should I say?", "What is it like to live by the sea?",
    "How do I get to know people in a new town?", "What would you change about your town?",
    "Tell me something that I may not know.",
)  # fmt: skip
FOLLOW_UPS = (
    "Why is that?", "Can you give me an example?", "And what else?", "Tell me more about it.",
    "How would you begin?", "What would others say to that?", "Is that always so?",
    "What do you mean by that?", "And how did that make you feel?", "What would you do next?",
    "Was it always like that?", "Could you say that in other words?",
)  # fmt: skip
PARAPHRASE_PROMPT = (
    "Say the following in other words and keep its meaning. Reply with the new wording alone.\n\n"
    "{text}"
)
REASONING = "Work it out step by step, and end with a line 'Answer: ' and the number."
