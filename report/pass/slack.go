package pass

// slack is how far apart, in seconds, interfaces may date the same packets.
const slack = 60
