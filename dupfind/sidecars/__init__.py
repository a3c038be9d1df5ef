"""Files that describe other files of their folder, told by name and content"""
