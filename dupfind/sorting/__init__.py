"""Pictures in an order in which neighbours look alike: ``dupfind sort``."""
