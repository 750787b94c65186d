"""A smaller network cut from a larger one: what says most is kept, to go on learning from there.

What a head, an inner number or a channel says: how much of it there is in a batch of texts, times
how much is made of it (Molchanov et al., 2017, without the slope).
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from services.privacy.tagger.context import HEAD_WIDTH, ContextReader, Layer
from services.privacy.tagger.network import CharacterTagger, Read, Shape

State = dict[str, Tensor]


def narrowed(network: CharacterTagger, shape: Shape, read: Read, pieces: Tensor) -> State:
    """Return the weights that are kept of a network that read ``pieces`` and ``read``; of ``shape``
    no more than heads, inner numbers and width may differ from the network's.
    """
    state = network.state_dict()
    with torch.no_grad():
        read = read._replace(context=_narrow_context(network.context, shape, pieces, state))
        _narrow_blocks(network, shape.width, read, state)
    return state


def _narrow_context(reader: ContextReader, shape: Shape, pieces: Tensor, state: State) -> Tensor:
    hidden, where = reader.begun(pieces)
    for at, layer in enumerate(reader.layers):
        assert isinstance(layer, Layer)  # noqa: S101 - for mypy
        parts = layer.heads(hidden)
        seen = layer.seen(parts, where)
        says = seen.pow(2).mean(0).sqrt() * layer.joined.weight.norm(dim=0)
        heads = _most(says.view(-1, HEAD_WIDTH).sum(1), shape.context_heads)
        within = torch.arange(HEAD_WIDTH, device=heads.device)
        kept = (heads[:, None] * HEAD_WIDTH + within).flatten()
        thrice = torch.cat([kept + part * seen.shape[1] for part in range(3)])
        joined = layer.norm(hidden + layer.joined(seen))
        inner = functional.gelu(layer.inner(joined))
        said = inner.pow(2).mean(0).sqrt() * layer.outer.weight.norm(dim=0)
        numbers = _most(said, shape.context_inner)
        name = f"context.layers.{at}."
        _keep(state, name, {"heads": thrice, "inner": numbers}, {"joined": kept, "outer": numbers})
        hidden = layer.last_norm(joined + layer.outer(inner))
    said = reader.exit(hidden[: where.pieces])
    return torch.cat((hidden.new_zeros(1, reader.width), said))


def _narrow_blocks(network: CharacterTagger, width: int, read: Read, state: State) -> None:
    """All blocks add to the same channels: those are kept in all, or in none."""
    hidden = network.entered(read)
    said = hidden.new_zeros(hidden.shape[1])
    for block in network.blocks:
        weight = block.weight
        assert isinstance(weight, Tensor)  # noqa: S101 - for mypy
        said += hidden.pow(2).mean((0, 2, 3)).sqrt() * weight.pow(2).sum((0, 2, 3)).sqrt()
        hidden = hidden + torch.relu(block(hidden))
    said += hidden.pow(2).mean((0, 2, 3)).sqrt() * network.exit.weight.pow(2).sum((0, 2, 3)).sqrt()
    kept = _most(said, width)
    blocks = [f"blocks.{at}" for at in range(len(network.blocks))]
    _keep(
        state, "", dict.fromkeys(["entry", *blocks], kept), dict.fromkeys([*blocks, "exit"], kept)
    )


def _most(says: Tensor, count: int) -> Tensor:
    return says.topk(count).indices.sort().values


def _keep(state: State, name: str, made: Mapping[str, Tensor], read: Mapping[str, Tensor]) -> None:
    """Keep of each layer what it has ``made``, and what it ``read``, of these numbers alone."""
    for layer, rows in made.items():
        for part in ("weight", "bias"):
            state[f"{name}{layer}.{part}"] = state[f"{name}{layer}.{part}"][rows]
    for layer, columns in read.items():
        state[f"{name}{layer}.weight"] = state[f"{name}{layer}.weight"][:, columns]
