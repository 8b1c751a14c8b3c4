// Package rota says who is on call.
//
// A schedule is layers of rotations on the wall clock of their zones; who is on
// call at a time follows from it, its former versions and what people changed for
// a time, and from nothing else: there are no stored shifts and no clock in it.
// Handoffs strictly increase and shifts tile time, in every zone and across every
// change of its clocks.
package rota
