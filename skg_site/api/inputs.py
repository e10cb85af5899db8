"""Bases of the models of what clients send: none takes an unknown member or parameter."""

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """A JSON body, whose members have the types of JSON."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class QueryString(BaseModel):
    """The parameters of a query string, which are texts; fields parse them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
