"""Series of many inputs spread over workers: each judges some of the series, of all inputs.

Pass 1 cuts inputs into buckets of series, pass 2 judges buckets; both leave files in a folder that all share.
The scores of an input are then put together from those files, wherever its output is written.
"""
