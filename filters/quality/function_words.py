"""Words of English that hold sentences together."""

_ARTICLES_AND_PRONOUNS = """
a an the this that these those i me my mine myself we us our ours ourselves you your yours yourself
yourselves he him his himself she her hers herself it its itself they them their theirs themselves
one ones oneself who whom whose which what whoever whomever whatever whichever someone somebody
something anyone anybody anything everyone everybody everything nobody nothing none each every
either neither both all any some no other others another such same own few many much more most less
least several half enough
"""
_PREPOSITIONS = """
about above across after against along alongside amid among amongst around as at before behind below
beneath beside besides between beyond by despite down during except for from in inside into like
near of off on onto out outside over past per round since than through throughout till to toward
towards under underneath unlike until unto up upon via with within without
"""
_CONJUNCTIONS_AND_ADVERBS = """
and but or nor so yet if unless because although though while whilst whereas whether when whenever
where wherever why how once lest albeit however therefore instead otherwise rather quite very too
also just only even still ever never not then there here now again almost always already soon often
perhaps else both thus hence
"""
_VERBS = """
be am is are was were been being do does did done doing have has had having can could may might must
shall should will would ought need dare used get gets got let
"""
_CONTRACTIONS = """
i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll
we're we've we'd we'll they're they've they'd they'll that's that'd that'll there's there'd here's
who's who'd what's where's how's let's isn't aren't wasn't weren't don't doesn't didn't haven't
hasn't hadn't can't cannot couldn't mayn't mightn't mustn't shan't shouldn't won't wouldn't
"""

FUNCTION_WORDS = frozenset(
    " ".join(
        (
            _ARTICLES_AND_PRONOUNS,
            _PREPOSITIONS,
            _CONJUNCTIONS_AND_ADVERBS,
            _VERBS,
            _CONTRACTIONS,
        )
    ).split()
)
"""Articles, pronouns, prepositions, conjunctions, auxiliaries and what is contracted with them."""
