"""dupfind: which needle folders still hold something that is not in the haystack?"""

__version__ = "0.1.0"
