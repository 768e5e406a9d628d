package pass

const slack = 60
