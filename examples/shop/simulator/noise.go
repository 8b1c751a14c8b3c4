package simulator

import "math"

// hash mixes a seed with what the number is for. Equal arguments give equal
// results on every machine (splitmix64's finaliser, applied per argument).
func hash(seed uint64, parts ...uint64) uint64 {
	h := seed
	for _, p := range parts {
		h = mix(h ^ mix(p+0x9e3779b97f4a7c15))
	}
	return h
}

func mix(z uint64) uint64 {
	z ^= z >> 30
	z *= 0xbf58476d1ce4e5b9
	z ^= z >> 27
	z *= 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform turns a hash into a number in [0, 1).
func uniform(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// normal turns a hash into a number that is nearly normal with mean 0 and
// variance 1: the sum of its four 16-bit parts.
func normal(h uint64) float64 {
	sum := h&0xffff + h>>16&0xffff + h>>32&0xffff + h>>48
	return (float64(sum)/65535 - 2) * math.Sqrt(3)
}

// count draws how many of n trials come true, each with probability p: a whole
// number between 0 and n. n below zero stands for a rate without an upper
// bound, whose mean is p.
func count(h uint64, n, p float64) float64 {
	mean, variance, most := n*p, n*p*(1-p), n
	if n < 0 {
		mean, variance, most = p, p, math.Inf(1)
	}
	if mean <= 0 {
		return 0
	}
	if p >= 1 && n >= 0 {
		return n
	}
	if mean < 10 && (n < 0 || p < 0.2) {
		return math.Min(poisson(uniform(h), mean), most)
	}
	drawn := math.Round(mean + normal(h)*math.Sqrt(variance))
	return math.Max(0, math.Min(drawn, most))
}

// poisson inverts the distribution function at u.
func poisson(u, mean float64) float64 {
	term := math.Exp(-mean)
	sum, k := term, 0.0
	for u > sum && k < 60 {
		k++
		term *= mean / k
		sum += term
	}
	return k
}
