package scenario

import (
	"math"
	"math/rand/v2"
)

// poisson draws the number of events where so many are expected.
func poisson(r *rand.Rand, expected float64) float64 {
	if expected <= 0 {
		return 0
	}
	if expected > 50 {
		return math.Max(0, math.Round(expected+math.Sqrt(expected)*r.NormFloat64()))
	}
	limit, product, n := math.Exp(-expected), r.Float64(), 0.0
	for product > limit {
		product *= r.Float64()
		n++
	}
	return n
}

// binomial draws how many of n fail with the given probability.
func binomial(r *rand.Rand, n, p float64) float64 {
	switch {
	case p <= 0 || n == 0:
		return 0
	case p >= 1:
		return n
	case n*p > 50 && n*(1-p) > 50:
		return math.Min(n, math.Max(0, math.Round(n*p+math.Sqrt(n*p*(1-p))*r.NormFloat64())))
	case n*p <= 50 && n > 1000:
		return math.Min(n, poisson(r, n*p))
	}
	bad := 0.0
	for range int(n) {
		if r.Float64() < p {
			bad++
		}
	}
	return bad
}
