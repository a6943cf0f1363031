"""The pool's arithmetic on 64-bit words, to be compiled: equal to the plain integers of `defai.amm` in every bit.

Wide numbers are tuples of words, the lowest first, so that the compiler keeps them in registers. The functions are
plain Python and import no compiler: `defai.amm.limbs.compiler` compiles them when first wanted. Interpreted, under
`numpy.errstate(over="ignore")`, they give the same, a thousand times slower.

They trust their arguments; what checks them stands in `defai.amm.kernel`.
"""
