"""Events as JSON: one adapter reads and writes them all, by their `kind`.

pydantic is imported with this module, so that whoever only handles events does not wait for it.
"""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from defai.domain.stream import StreamEvent

EVENTS: Final[TypeAdapter[StreamEvent]] = TypeAdapter(Annotated[StreamEvent, Field(discriminator="kind")])
"""Any event; raises pydantic.ValidationError where what it reads is none."""
