"""Files to documents and turns: one module per family of formats.

In: transcripts, notes, surveys, e-mails, the candidates and the offers file, as people have them. Out: the `documents`,
`turns`, `candidates` and `offers` tables, and the names that `redact` must replace. Nothing is redacted or stored here.
"""

from declinethemes.ingest.columns import guess_columns
from declinethemes.ingest.contacts import read_addresses, read_contacts
from declinethemes.ingest.documents import Document, Sources, iter_documents, read_documents
from declinethemes.ingest.offers import Offers, read_offers
from declinethemes.ingest.people import People, draft_study, read_candidates, read_people
from declinethemes.ingest.readers import SUFFIXES, read_turns
from declinethemes.ingest.reviews import read_reviews
from declinethemes.ingest.roles import assign_roles

__all__ = [
    "SUFFIXES",
    "Document",
    "Offers",
    "People",
    "Sources",
    "assign_roles",
    "draft_study",
    "guess_columns",
    "iter_documents",
    "read_addresses",
    "read_candidates",
    "read_contacts",
    "read_documents",
    "read_offers",
    "read_people",
    "read_reviews",
    "read_turns",
]
