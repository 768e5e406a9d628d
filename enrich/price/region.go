package price

import "strings"

// regions is THE table of how bills, zones and regions are called. code is what a usage type begins with; us-east-1 often
// has none, and eu-west-1 is EU or EUW1. zone is what the IDs of its availability zones begin with. Source of codes: the
// usage types of AWS's price lists.
var regions = []struct{ name, code, zone string }{
	{"us-east-1", "USE1", "use1"}, {"us-east-2", "USE2", "use2"}, {"us-west-1", "USW1", "usw1"}, {"us-west-2", "USW2", "usw2"},
	{"us-gov-east-1", "UGE1", "usge1"}, {"us-gov-west-1", "UGW1", "usgw1"},
	{"ca-central-1", "CAN1", "cac1"}, {"ca-west-1", "CAN2", "caw1"}, {"mx-central-1", "MXC1", "mxc1"}, {"sa-east-1", "SAE1", "sae1"},
	{"eu-west-1", "EU", "euw1"}, {"eu-west-1", "EUW1", "euw1"}, {"eu-west-2", "EUW2", "euw2"}, {"eu-west-3", "EUW3", "euw3"},
	{"eu-central-1", "EUC1", "euc1"}, {"eu-central-2", "EUC2", "euc2"}, {"eu-north-1", "EUN1", "eun1"},
	{"eu-south-1", "EUS1", "eus1"}, {"eu-south-2", "EUS2", "eus2"},
	{"il-central-1", "ILC1", "ilc1"}, {"me-central-1", "MEC1", "mec1"}, {"me-south-1", "MES1", "mes1"}, {"af-south-1", "AFS1", "afs1"},
	{"ap-east-1", "APE1", "ape1"}, {"ap-east-2", "APE2", "ape2"},
	{"ap-northeast-1", "APN1", "apne1"}, {"ap-northeast-2", "APN2", "apne2"}, {"ap-northeast-3", "APN3", "apne3"},
	{"ap-south-1", "APS3", "aps1"}, {"ap-south-2", "APS5", "aps2"},
	{"ap-southeast-1", "APS1", "apse1"}, {"ap-southeast-2", "APS2", "apse2"}, {"ap-southeast-3", "APS4", "apse3"},
	{"ap-southeast-4", "APS6", "apse4"}, {"ap-southeast-5", "APS7", "apse5"}, {"ap-southeast-6", "APS8", "apse6"}, {"ap-southeast-7", "APS9", "apse7"},
	{"cn-north-1", "CNN1", "cnn1"}, {"cn-northwest-1", "CNW1", "cnnw1"},
}

// RegionOfZone returns the region of an availability zone's ID, such as us-east-1 of use1-az4, or "".
func RegionOfZone(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	for _, r := range regions {
		if r.zone == prefix {
			return r.name
		}
	}
	return ""
}

// cutRegion cuts the code of a region off a usage type. It returns "" if there is none.
func cutRegion(usageType string) (region, rest string) {
	if code, after, ok := strings.Cut(usageType, "-"); ok {
		for _, r := range regions {
			if r.code == code {
				return r.name, after
			}
		}
	}
	return "", usageType
}
