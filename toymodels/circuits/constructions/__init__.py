"""Other ways to compute more than a network has room for, each with its own weights and measures.

    attended_rotations Rotations that a softmax over tokens switches on, strongly or hardly.
    block_structured   One active circuit of N² without any error: memory blocks, and a layer that
                       clears all of them but one. LessWrong post "Block-structured computation in
                       superposition"; only its opening was known here.
    copies, storage    Designs that give the on-indicators more neurons, as records that a sweep may
                       simulate; `indicators` is what they share, `grouped` the network of them.
    discrete_rotations Rotations of a vector that may take m values only, cleaned between layers or
                       by the circuits themselves.
    gated_rotations    Rotations of which a gate rules some out.
    linked             Circuits that start, stop and feed each other, from lists of connections:
                       `graphs` draws the lists, `linked_rotations` runs rotations on them,
                       `linked_measures` says what of them is measured.
    random_embedding   Circuits in random directions, whose noise grows with depth unless inactive
                       circuits suppress it. The read-in of the first "Circuits in Superposition"
                       post; only its opening was known here, the mechanism is derived.
    rotations          The construction of the package, as a record that a sweep may simulate.
    universal_and      All pairwise ANDs of sparse features in one layer of few neurons. Hänni,
                       Mendel, Vaintrob & Chan 2024, arXiv 2408.05451.

Of these only `rotations` uses `network`, whose assignments with inhibition are what the package is
about; `grouped` has them too, one for each group of small neurons.
Those of rotations alone use `network`, whose assignments with inhibition are what the package is
about.
"""

from toymodels.circuits.constructions import block_structured, random_embedding, universal_and

__all__ = ["block_structured", "random_embedding", "universal_and"]
