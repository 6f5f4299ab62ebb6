"""A batch of problems split over devices gives what one device gives: every loop's carry varies with its inputs."""

import os
import subprocess
import sys

DEVICES = 2
SCRIPT = """
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import optax
import ascentfail as af
from ascentfail import random_sets
from ascentfail.dynamics import flow
from ascentfail.toy import landscape

try:
    shard_map = jax.shard_map
except AttributeError:
    from jax.experimental.shard_map import shard_map

spec = jax.sharding.PartitionSpec("problems")
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("problems",))
assert mesh.size == 2


def plane(epsilon):
    return af.CrossCorrelated(
        epsilon=epsilon, retain_in_plane=10.0, forget_in_plane=5.0, retain_total=20.0, forget_total=10.0, ridge=0.1
    )


def iterated(start, **how):
    return lambda x: af.descent_ascent(plane(x), start, steps=40, **({"step_size": 0.1} | how))


def own(x):
    losses = af.Losses(lambda w: jnp.sum(jnp.exp(-x * w)), lambda w: jnp.sum(w**2))
    return af.descent_ascent(losses, jnp.ones(3), steps=5, optimizer=optax.adam(1e-2), record="summary", oracle=jnp.zeros(3))


def batch(x):
    return iterated(jnp.zeros(2), batch_size=4, key=jax.random.key(0))(x)


def noisy(x):
    return landscape.fine_tune(af.ToyLandscape(), jnp.ones(2), jnp.full(20, 0.01) * x, jax.random.key(0))


def ways(x):
    return {
        "alternating": iterated("original", mode="alternating", test_level=x)(x),
        "end": af.stationary_point(plane(x), "descent_ascent"),
        "own": own(x),
        "batch": batch(x),
        "flow": flow.gradient_flow(plane(x), jnp.ones(2), np.linspace(0.0, 1.0, 3), rtol=1e-12),
        "noisy": noisy(x),
        "tail": random_sets.binomial_tail(3.0, 8.0, x, most=8),
    }


x, many = jnp.linspace(0.1, 0.8, 4), jax.vmap(ways)
split = jax.jit(shard_map(many, mesh=mesh, in_specs=spec, out_specs=spec))(x)
for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(split), jax.tree.leaves(jax.jit(many)(x)), strict=True):
    assert len(a.sharding.device_set) == 2, path
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13, err_msg=str(path))
    print(path[0].key)
"""
WAYS = {"alternating", "end", "own", "batch", "flow", "noisy", "tail"}


def test_a_batch_split_over_devices_is_the_batch():
    settings = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={DEVICES}",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=settings, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert set(done.stdout.split()) == WAYS
