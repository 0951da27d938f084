"""What each column is: profiled and decided at training, stored, compared at scoring."""

from aedetect.schema.roles import infer_schema
from aedetect.schema.schema import Column, Schema

__all__ = ["Column", "Schema", "infer_schema"]
