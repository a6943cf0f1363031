"""The ladder: five rungs from a record to the proof that it is true. Pure: values in, findings out."""
