package simulator

import "time"

// tokyo is the shop's wall clock. Japan has had no summer time since 1951, so
// a fixed offset says the same as the zone's rules.
var tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

// hourly is the load at the middle of each hour in Tokyo, relative to the mean
// of a day: quiet before dawn, a peak at lunch, the largest in the evening.
var hourly = [24]float64{
	0.85, 0.50, 0.29, 0.19, 0.16, 0.20, 0.38, 0.65, 0.80, 0.90, 1.04, 1.10,
	1.38, 1.20, 1.05, 1.03, 1.05, 1.10, 1.22, 1.45, 1.78, 1.98, 1.74, 1.30,
}

// weekly is the load of each weekday, Sunday first.
var weekly = [7]float64{1.19, 0.95, 0.92, 0.94, 0.95, 1.00, 1.18}

// loadAt is how busy the shop is at t, relative to an average moment.
//
// Days ending in 5 or 0 are sale days, as in many Japanese shops, with a timed
// sale from 20:00 to 22:00. A shop's day turns at 04:00, when nobody notices.
func loadAt(seed uint64, t time.Time) float64 {
	wall := t.In(tokyo)
	hour := float64(wall.Hour()) + float64(wall.Minute())/60 + float64(wall.Second())/3600
	load := between(hourly[:], hour-0.5)

	day := wall.Add(-4 * time.Hour)
	load *= weekly[day.Weekday()]
	if day.Day()%5 == 0 {
		load *= 1.18
		if hour >= 20 && hour < 22 {
			load *= 1.35
		}
	}
	// Ten-minute waves of a few per cent, so that no two days look alike.
	const wave = 600
	slot := t.Unix() / wave
	part := float64(t.Unix()%wave) / wave
	a, b := normal(hash(seed, 1, uint64(slot))), normal(hash(seed, 1, uint64(slot+1)))
	return load * (1 + 0.035*(a*(1-part)+b*part))
}

// between reads a table that repeats, interpolating between its entries.
func between(table []float64, at float64) float64 {
	n := float64(len(table))
	for at < 0 {
		at += n
	}
	i := int(at)
	part := at - float64(i)
	return table[i%len(table)]*(1-part) + table[(i+1)%len(table)]*part
}
