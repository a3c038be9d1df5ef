"""Buckets and servers of files as sources: objects that are listed, read in ranges, and looked at again"""
