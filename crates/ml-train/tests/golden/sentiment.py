"""Writes what vaderSentiment says and knows.

Needs vaderSentiment 3.3.2: `python sentiment.py [DATA_DIR]` in this folder.

- `sentiment.json`: its scores of the sentences below.
- `sentiment_social_valence.txt`, if the folder of the data sets is given: its scores of all of social-valence, one text a
  line: id, compound by 10,000, then positive, neutral and negative by 1,000.
- `src/text/sentiment/vader_lexicon.txt` and `emoji.txt`: its word list and its names of emoji, without what it never looks
  up: tokens with capitals or spaces, the former of two ratings, and emoji of several code points.
"""

import json
import sys
from pathlib import Path

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

SENTENCES = [
    # Nothing to go by.
    "",
    "   \n\t ",
    "the table stands in the room",
    "!!!",
    "?",
    # Plain words, and what is around them.
    "VADER is smart, handsome, and funny.",
    "VADER is smart, handsome, and funny!",
    "VADER is very smart, handsome, and funny.",
    "VADER is VERY SMART, handsome, and FUNNY.",
    "VADER is VERY SMART, handsome, and FUNNY!!!",
    "VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!",
    "VADER is not smart, handsome, nor funny.",
    "GREAT",
    "great GREAT",
    "ALL CAPS ARE GREAT",
    "(great) \"great\" 'great' great's great-ish",
    # Punctuation.
    "great!", "great!!", "great!!!", "great!!!!", "great!!!!!", "great!!!!!!!!!!",
    "great?", "great??", "great???", "great????", "great?????", "awful?!?!", "fine?!", "bad!!", "great! awful?? great!!!!!",
    # Negation.
    "not good", "not very good", "not so very good", "not at all so very good", "isn't good", "ISN'T good", "don't you like it",
    "it isn't really all that good", "never good", "never so good", "never this good", "never been so good",
    "never so very good", "never has this good", "so happy so good", "without hate", "without doubt good",
    "without a doubt good", "without doubt very good", "without any doubt good", "despite the pain", "rarely bad, seldom good",
    "nobody wouldnt love it", "neither good nor bad", "uh-uh good", "no", "no good", "no joy or happiness", "no pain nor sorrow",
    "no no no", "no, good", "no real good", "say no", "NO GOOD reason",
    "it was not bad but not good", "aint nothing bad", "can't stand it", "cannot love",
    # Least.
    "least good", "the least good", "at least good", "very least good", "at least it's good", "least of all good", "Least Good",
    "this is the least interesting thing",
    # Boosters and dampeners.
    "very good", "very very good", "so very extremely good", "VERY good", "VERY bad", "kind of good", "kinda good",
    "kind of a good", "it is kind of you", "kind", "of a kind of good", "sort of bad", "it is sort of really bad", "just enough good",
    "he had just enough of good", "hardly good", "barely bad", "SLIGHTLY bad and good", "almost really good", "good very", "very",
    "an incredible mess", "more good", "MOST GOOD of all", "a marginally happy and somewhat sad one", "little love", "sort-of good",
    "is it sort of good", "it was kind of bad",
    # But.
    "good but bad", "good, but bad", "The plot was good, but the characters are uncompelling and the dialog is not great.",
    "but", "but good", "good but", "good good good but bad bad", "bad good bad but good bad good but bad", "GOOD BUT bad",
    "nice nice nice but nice nice", "great but great great but not great", "butter is good", "ok but ok", "0 but 0 good 0 good",
    "love hate love but hate love hate love hate",
    # Idioms.
    "that is the shit", "he said it is the shit now", "this thing here is the bomb", "what a bad ass", "he is such a bad ass player",
    "wait at the bus stop", "they saw the bus stop again", "oh well yeah right", "i say oh yeah right then",
    "it was the kiss of death", "gave them a kiss of death", "a cake to die for", "this is a cake to die for today",
    "i feel a beating heart", "under the weather", "on the ball", "badass", "cut the mustard",
    "this is the shit but not the bomb", "VERY MUCH THE SHIT today",
    # Emoticons, emoji and other signs.
    ":)", ":-)", ":(", ":D", ":-D", "xD", "XD", "lol", "LOL that is funny", "<3", "</3", "^_^", "O.o", "o_O", "D:", "d:", "(:", "=)",
    "good:)", "good :)", ":) good", "8)", ";)", ":'(", ">:(", "%)", "$:", ":-P :-p :P",
    "😀", "😀😀", "good😀", "😀good", "😀 good", "good 💔", "💘💋", "I ❤️ it", "❤", "not 😀", "😡😡 but 😍", "👍🏽 great",
    "👨‍👩‍👧 family", "🇫🇷 bien", "☹️", "☺", "Catch utf-8 emoji such as such as 💘 and 💋 and 😁", "\U0001f600\u3000good",
    "VERY 😀", "©", "⁉️", "‼️ great", "*️⃣",
    # Other scripts, odd spaces and capitals.
    "good\u00a0bad", "good\u2003bad", "good\u200bbad", "good\x1fbad", "good\x85bad", "\u3000good\u3000", "good\x00bad", "good\r\nbad\tworse",
    "ÜBER GOOD stuff", "ŞOK GOOD day", "straße GOOD", "ΟΔΟΣ good", "Ǆ good GOOD", "ǅ GOOD x", "ⅷ GOOD", "Ⅷ good GOOD", "ª GOOD º",
    "İyi GOOD", "日本語 GOOD", "123 GOOD", "123 GOOD good", "“great”", "great…", "«great»", "great—awful", "great/awful",
    "good.bad", "...good...", "@good #good", "http://good.com/bad?x=1&y=2?", "g00d", "don’t like", "don't like", "naïve fool",
    # Longer ones.
    "Today SUX!", "Today only kinda sux! But I'll get by, lol", "Make sure you :) or :D today!", "Not bad at all",
    "At least it isn't a horrible book.", "The book was only kind of good.", "The book was kind of good.",
    "A really bad, horrible book.", "Sentiment analysis has never been good.", "Sentiment analysis has never been this good!",
    "Most automated sentiment analysis tools are shit.", "With VADER, sentiment analysis is the shit!",
    "Other sentiment analysis tools can be quite bad.", "On the other hand, VADER is quite bad ass",
    "VADER is such a badass!", "Without a doubt, excellent idea.", "Roger Dodger is one of the most compelling variations.",
    "Roger Dodger is at least compelling as a variation on the theme.", "Roger Dodger is one of the least compelling ones.",
    "Not such a badass after all.", "Without a doubt, an excellent idea.",
    "It was one of the worst movies I've seen, despite good reviews. Unbelievably bad acting!! Poor direction. VERY poor "
    "production. The movie was bad. Very bad movie. VERY bad movie. VERY BAD movie. VERY BAD movie!",
    "good " * 40, "bad " * 15 + "but " + "good " * 15, "x " * 15 + "love", "x " * 14 + "love", "a b c love",
]
SOURCES = Path("../../src/text/sentiment")


def entries(text):
    """Returns the tab-separated first two fields of each line; of two lines with the same first field, the last wins."""
    lines = (line.strip().split("\t") for line in text.rstrip("\n").split("\n") if line)
    return {fields[0]: fields[1] for fields in lines}


def write_lexicon(analyser):
    words = entries(analyser.lexicon_full_filepath)
    words = {word: float(rating) for word, rating in words.items() if word == word.lower() and len(word.split()) == 1}
    assert all(analyser.lexicon[word] == rating for word, rating in words.items())
    lines = [f"{word}\t{rating:g}\n" for word, rating in sorted(words.items())]
    (SOURCES / "vader_lexicon.txt").write_text("".join(lines), encoding="utf-8")
    emoji = {sign: name for sign, name in entries(analyser.emoji_full_filepath).items() if len(sign) == 1}
    assert all(analyser.emojis[sign] == name for sign, name in emoji.items())
    lines = [f"{sign}\t{name}\n" for sign, name in sorted(emoji.items())]
    (SOURCES / "emoji.txt").write_text("".join(lines), encoding="utf-8")


def main():
    analyser = SentimentIntensityAnalyzer()
    write_lexicon(analyser)
    cases = [{"text": text, **analyser.polarity_scores(text)} for text in SENTENCES]
    lines = ",\n".join(json.dumps(case) for case in cases)
    Path("sentiment.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    if len(sys.argv) > 1:
        lines = []
        for line in (Path(sys.argv[1]) / "social-valence/data.jsonl").read_text(encoding="utf-8").splitlines():
            tweet = json.loads(line)
            scores = analyser.polarity_scores(tweet["text"])
            numbers = [round(scores["compound"] * 10_000), *(round(scores[key] * 1_000) for key in ("pos", "neu", "neg"))]
            lines.append(f"{tweet['id']} {' '.join(map(str, numbers))}\n")
        Path("sentiment_social_valence.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
