/* SPDX-License-Identifier: MIT */
/*
 * The packs from Akuvox to Avaya: what their phones say of themselves in User-Agents, DHCP classes
 * and names of files (ecosystem.md 4.1 to 4.4, dialects.md A.13 and D).
 */
#include "core/fleet/config.h"
#include "core/fleet/vendor_files.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

static const char *const makers[] = {"akuvox", "flyingvoice",	  "atcom", "poly",
				     "cisco",  "ciscoenterprise", "mitel", "alcatel",
				     "digium", "yeastar",	  "algo",  "2n",
				     "avaya"};

enum { maker_count = sizeof(makers) / sizeof(*makers) };

static struct vendors vendors;

static bool load_all(void)
{
	char problem[512] = "";

	vendors = (struct vendors){0};
	for (size_t i = 0; i < maker_count; i++) {
		struct vendor_pack *pack = pack_of_maker(makers[i], problem, sizeof(problem));

		if (!pack || vendors_put(&vendors, pack, problem, sizeof(problem)) != 0) {
			printf("# %s: %s\n", makers[i], problem);
			test_is_failed = true;
			return false;
		}
	}
	return true;
}

static bool has_evidence(const struct vendor_pack *pack, const char *field)
{
	return *vendor_evidence_name(pack, span_text(field)) != '\0';
}

/* What a pack states has its evidence, and nothing else has. */
static void packs_say_what_they_rest_on(void)
{
	REQUIRE(load_all());
	for (size_t i = 0; i < vendors.count; i++) {
		const struct vendor_pack *pack = vendors.packs[i];

		CHECK(has_evidence(pack, "files") && has_evidence(pack, "url.shapes"));
		CHECK_EQUAL(pack->resync.event.length > 0, has_evidence(pack, "resync"));
		CHECK_EQUAL(pack->reboot.event.length > 0, has_evidence(pack, "reboot"));
		CHECK_EQUAL(pack->oui_count > 0, has_evidence(pack, "recognise.oui"));
		CHECK_EQUAL(pack->sip_user_agent.count > 0,
			    has_evidence(pack, "recognise.sip_user_agent"));
		CHECK_EQUAL(pack->http_user_agent.count > 0,
			    has_evidence(pack, "recognise.http_user_agent"));
		CHECK_EQUAL(pack->dhcp_class.count > 0, has_evidence(pack, "recognise.dhcp_class"));
		CHECK_EQUAL(pack->event_vendor.count > 0,
			    has_evidence(pack, "recognise.event_vendor"));
		CHECK(pack->discovered_by.length > 0 && pack->identified_by.length > 0);
		CHECK(pack->quirk_count > 0 && pack->shape_count > 0);
		if (test_is_failed) {
			test_print_span("pack", pack->name);
			break;
		}
	}
	vendors_free(&vendors);
}

/* --- User-Agents and DHCP classes --- */

enum spoken { SIP, HTTP, DHCP };

struct speech_row {
	enum spoken kind;
	const char *text;
	const char *vendor; /* NULL: nobody knows it */
	const char *model;
	const char *version;
	const char *mac;
};

static const struct speech_row speech[] = {
	/* Flyingvoice, Akuvox, Atcom, Yeastar, Algo, 2N */
	{HTTP, "Flyingvoice FIP13G V0.6.24 00:21:F2:22:AE:F1", "flyingvoice", "FIP13G", "0.6.24",
	 "00:21:F2:22:AE:F1"},
	{HTTP, "flyingvoice P23GW V0.8.3 78:99:12:01:02:03", "flyingvoice", "P23GW", "0.8.3",
	 "78:99:12:01:02:03"},
	{SIP, "Akuvox R29 29.30.2.13", "akuvox", "R29", "29.30.2.13", ""},
	{SIP, "ATCOM A48 2.6.1", "atcom", "A48", "2.6.1", ""},
	{SIP, "Yeastar TA200 41.19.0.48", "yeastar", "TA200", "41.19.0.48", ""},
	{SIP, "Algo-8186/5.5", "algo", "8186", "5.5", ""},
	{SIP, "2N IP Verso/2.48.1", "2n", "IP Verso", "2.48.1", ""},
	/* Poly: UCS with and without the MAC, Edge, OBi */
	{HTTP, "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application", "poly", "VVX_400",
	 "4.1.4.7430", ""},
	{HTTP, "FileTransport PolycomVVX-VVX_450-UA/5.9.1.0615 Type/Updater", "poly", "VVX_450",
	 "5.9.1.0615", ""},
	{HTTP,
	 "FileTransport PolycomSoundStationIP-SSIP_5000-UA/4.0.3.7562 (SN:0004f2e765da) "
	 "Type/Application",
	 "poly", "SSIP_5000", "4.0.3.7562", "0004f2e765da"},
	{HTTP, "FileTransport PolycomSoundPointIP-SPIP_450-UA/3.2.3.1734", "poly", "SPIP_450",
	 "3.2.3.1734", ""},
	{HTTP, "FileTransport PolyCCX-CCX_500-UA/9.4.1.0508 (SN:64167f9f4c90) Type/Application",
	 "poly", "CCX_500", "9.4.1.0508", "64167f9f4c90"},
	{HTTP, "FileTransport PolyEdge-Edge_E450-UA/8.0.0.15602 Type/Application", "poly",
	 "Edge_E450", "8.0.0.15602", ""},
	{SIP, "PolycomVVX-VVX_410-UA/5.9.5.0614", "poly", "VVX_410", "5.9.5.0614", ""},
	{SIP, "PolyEdge-Edge_E350-UA/8.3.1.0614_f04ea4691c59", "poly", "Edge_E350", "8.3.1.0614",
	 "f04ea4691c59"},
	{SIP, "PolycomSoundPointIP-SPIP_331-UA/3.3.5.0247", "poly", "SPIP_331", "3.3.5.0247", ""},
	{SIP, "OBIHAI/OBi202-3.2.2.5921", "poly", "OBi202", "3.2.2.5921", ""},
	{DHCP, "Polycom-VVX411", "poly", "VVX411", "", ""},
	/* Cisco: SPA, Linksys, MPP, ATA; enterprise */
	{HTTP, "Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)", "cisco", "SPA508G", "7.4.4",
	 "0002FDFF2103"},
	{HTTP, "Cisco/SPA508G-7.4.4 (CBT141400UK)", "cisco", "SPA508G", "7.4.4", ""},
	{HTTP, "Linksys/SPA-942-6.1.5(a) (88019FA42805)", "cisco", "SPA-942", "6.1.5(a)",
	 "88019FA42805"},
	{HTTP, "Linksys/PAP2T-5.1.6(LS) (FMW009876543)", "cisco", "PAP2T", "5.1.6(LS)", ""},
	{HTTP, "Cisco-CP-7832-3PCC/11.0.1 (00562b043615)", "cisco", "7832", "11.0.1",
	 "00562b043615"},
	{HTTP, "Cisco-CP-8841-3PCC/11.3.1 (FCH2034A1B2)", "cisco", "8841", "11.3.1", ""},
	{SIP, "Cisco/SPA504G-7.4.9c", "cisco", "SPA504G", "7.4.9c", ""},
	{SIP, "Cisco-CP-8851-3PCC/12.0.1", "cisco", "8851", "12.0.1", ""},
	{SIP, "Cisco-CP7960G/8.0", "ciscoenterprise", "7960G", "8.0", ""},
	{SIP, "Cisco-CP8841/11.7.1", "ciscoenterprise", "8841", "11.7.1", ""},
	{DHCP, "Cisco Systems, Inc. IP Phone CP-7960G", "ciscoenterprise", "7960G", "", ""},
	{DHCP, "Cisco Systems, Inc. IP Phone CP-8841-3PCC", "cisco", "8841", "", ""},
	{DHCP, "CP-8841-3PCC", "cisco", "8841", "", ""},
	{DHCP, "CISCO ATA191-MPP", "cisco", "ATA191", "", ""},
	{DHCP, "LINKSYS SPA-942", "cisco", "SPA-942", "", ""},
	/* Mitel and Aastra */
	{HTTP, "Mitel6930 MAC:14-00-E9-1E-DB-52 V:6.4.0.140-SIP", "mitel", "6930", "6.4.0.140",
	 "14-00-E9-1E-DB-52"},
	{HTTP, "Aastra6731i MAC:00-08-5D-2E-A8-9A V:2.6.0.1007-SIP", "mitel", "6731i", "2.6.0.1007",
	 "00-08-5D-2E-A8-9A"},
	{SIP, "Aastra 6757i/2.6.0.2019", "mitel", "6757i", "2.6.0.2019", ""},
	{DHCP, "AastraIPPhone6867i", "mitel", "6867i", "", ""},
	{DHCP, "MitelIPPhone", "mitel", "", "", ""},
	/* ALE, Digium, Avaya */
	{HTTP, "ALE M3-CE 2.11.01.1604 3c28a620089e", "alcatel", "M3", "2.11.01.1604",
	 "3c28a620089e"},
	{HTTP, "Alcatel IP Touch 4028/2.01.10", "alcatel", "IP Touch 4028", "2.01.10", ""},
	{DHCP, "alcatel.noe.0", "alcatel", "", "", ""},
	{DHCP, "alcatel.sip.0", "alcatel", "", "", ""},
	{DHCP, "aledevice", "alcatel", "", "", ""},
	{DHCP, "ictouch.0", "alcatel", "", "", ""},
	{SIP, "Digium D40 1_4_0_0_57389", "digium", "D40", "1_4_0_0_57389", ""},
	{HTTP, "Digium D60 2_7_0", "digium", "D60", "2_7_0", ""},
	{DHCP, "digium_D40_1_0_5_46476", "digium", "D40", "1_0_5_46476", ""},
	{DHCP, "digium_D70_1_1_0_0_48178", "digium", "D70", "1_1_0_0_48178", ""},
	{HTTP, "Mozilla/4.0 (compatible; MSIE 6.0) AVAYA/J179-4.1.3.0.6 (MAC:c81fea83e85a)",
	 "avaya", "J179", "4.1.3.0.6", "c81fea83e85a"},
	{HTTP, "AVAYA/SIP96x1_SALBR6/06.05.01.00", "avaya", "", "06.05.01.00", ""},
	{HTTP, "Nortel IP Phone 1230 (SIP12x04.04.18.00)", "avaya", "1230", "4.04.18.00", ""},
	{DHCP, "Nortel-SIP", "avaya", "", "", ""},
	/* Others', and near misses */
	{SIP, "Yealink SIP-T46G 28.72.0.1", NULL, "", "", ""},
	{HTTP, "Cisco-CP-7832/11.0.1 (00562b043615)x (y", "ciscoenterprise", "7832", "11.0.1", ""},
	{HTTP, "Mitel6930 MAC:14-00-E9-1E-DB V:6.4.0.140-SIP", NULL, "", "", ""},
	{HTTP, "curl/7.88.1", NULL, "", "", ""},
	{SIP, "Algorithm 8186", NULL, "", "", ""},
	{SIP, "Asterisk PBX 20.1 Digium D40 1_4_0", NULL, "", "", ""},
	{DHCP, "dslforum.org", NULL, "", "", ""},
	{DHCP, "snomD785", NULL, "", "", ""},
};

static const struct vendor_pack *read_speech(const struct speech_row *row,
					     struct vendor_reading *reading)
{
	struct span text = span_text(row->text);
	const struct vendor_pack *pack;

	if (row->kind == DHCP) {
		return vendor_read_dhcp_class(&vendors, text, reading);
	}
	pack = vendor_recognise(&vendors, NULL, text, SPAN(""));
	if (pack) {
		bool is_read = row->kind == HTTP ? vendor_read_http_user_agent(pack, text, reading)
						 : vendor_read_user_agent(pack, text, reading);

		CHECK(is_read);
	}
	return pack;
}

static void speech_tells_maker_model_version_and_mac(void)
{
	REQUIRE(load_all());
	for (size_t i = 0; i < sizeof(speech) / sizeof(*speech); i++) {
		struct vendor_reading reading = {0};
		const struct vendor_pack *pack = read_speech(&speech[i], &reading);

		CHECK_SPAN(span_text(speech[i].vendor ? speech[i].vendor : ""),
			   pack ? pack->name : SPAN(""));
		CHECK_SPAN(span_text(speech[i].model), reading.model);
		CHECK_SPAN(span_text(speech[i].version), reading.version);
		CHECK_SPAN(span_text(speech[i].mac), reading.mac);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, speech[i].text);
			break;
		}
	}
	vendors_free(&vendors);
}

/* Phones end the class with a NUL, which counts. */
static void a_class_may_end_with_nul(void)
{
	static const char text[] = "Cisco Systems, Inc. IP Phone CP-7960G";
	struct vendor_reading reading = {0};
	const struct vendor_pack *pack;

	REQUIRE(load_all());
	pack = vendor_read_dhcp_class(&vendors, span_make(text, sizeof(text)), &reading);
	REQUIRE(pack != NULL);
	CHECK_TEXT("ciscoenterprise", pack->name);
	CHECK_TEXT("7960G", reading.model);
	vendors_free(&vendors);
}

static void ouis_tell_the_maker(void)
{
	static const struct {
		const char *mac;
		const char *vendor;
	} rows[] = {
		{"0c1105010203", "akuvox"},	 {"9c7514010203", "akuvox"},
		{"0021f2010203", "flyingvoice"}, {"789912010203", "flyingvoice"},
		{"808287010203", "atcom"},	 {"0004f2010203", "poly"},
		{"64167f010203", "poly"},	 {"482567010203", "poly"},
		{"9cadef010203", "poly"},	 {"000e08010203", "cisco"},
		{"d0ec35010203", "cisco"},	 {"00085d010203", "mitel"},
		{"08000f010203", "mitel"},	 {"1400e9010203", "mitel"},
		{"3c28a6010203", "alcatel"},	 {"000fd3010203", "digium"},
		{"f4b549010203", "yeastar"},	 {"0022ee010203", "algo"},
		{"7c1eb3010203", "2n"},		 {"0050c281f123", "2n"},
		{"c81fea010203", "avaya"},
	};

	REQUIRE(load_all());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct vendor_pack *pack = vendor_by_oui(&vendors, fleet_mac(rows[i].mac));

		REQUIRE(pack != NULL);
		CHECK_SPAN(span_text(rows[i].vendor), pack->name);
	}
	CHECK(vendor_by_oui(&vendors, fleet_mac("0050c2300123")) == NULL);
	vendors_free(&vendors);
}

/* --- names of files --- */

struct name_row {
	const char *name;
	const char
		*vendor; /* of several makers: that of the MAC's OUI; NULL: nobody's or ambiguous */
	enum vendor_file_kind kind;
	enum vendor_file_identity identity;
	const char *mac;
	const char *model;
	bool has_secrets;
};

#define CONFIG VENDOR_FILE_CONFIG, FILE_IDENTITY_MAC
#define STORED VENDOR_FILE_STORED, FILE_IDENTITY_MAC
#define SHARED VENDOR_FILE_STORED, FILE_IDENTITY_COMMON
#define COMMON VENDOR_FILE_CONFIG, FILE_IDENTITY_COMMON
#define MODEL  VENDOR_FILE_CONFIG, FILE_IDENTITY_MODEL

static const struct name_row names[] = {
	{"0C1105a0b0c0.cfg", "akuvox", CONFIG, "0c1105a0b0c0", "", true},
	{"0021f222aef1.boot", "flyingvoice", CONFIG, "0021f222aef1", "", false},
	{"0021f222aef1.cfg", "flyingvoice", CONFIG, "0021f222aef1", "", true},
	{"y000000000000.boot", "flyingvoice", COMMON, "", "", false},
	{"y000000000000.cfg", "flyingvoice", COMMON, "", "", false},
	{"808287A1B2C3.cfg", "atcom", CONFIG, "808287a1b2c3", "", true},
	/* Poly */
	{"0004f2aabbcc.cfg", "poly", CONFIG, "0004f2aabbcc", "", false},
	{"000000000000.cfg", "poly", COMMON, "", "", false},
	{"phone0004f2aabbcc.cfg", "poly", CONFIG, "0004f2aabbcc", "", true},
	{"0004F2AABBCC-user.cfg", "poly", CONFIG, "0004f2aabbcc", "", true},
	{"VVX600-64167faabbcc.cfg", "poly", CONFIG, "64167faabbcc", "VVX600", true},
	{"SSDuo-0004f2aabbcc.cfg", "poly", CONFIG, "0004f2aabbcc", "SSDuo", true},
	{"EdgeE350-482567aabbcc.cfg", "poly", CONFIG, "482567aabbcc", "EdgeE350", true},
	{"0004f2aabbcc-phone.cfg", "poly", STORED, "0004f2aabbcc", "", true},
	{"0004f2aabbcc-web.cfg", "poly", STORED, "0004f2aabbcc", "", true},
	{"0004f2aabbcc-license.cfg", "poly", STORED, "0004f2aabbcc", "", false},
	{"0004f2aabbcc-directory.xml", "poly", STORED, "0004f2aabbcc", "", false},
	{"000000000000-directory.xml", "poly", SHARED, "", "", false},
	{"sip.cfg", "poly", SHARED, "", "", false},
	{"features.cfg", "poly", SHARED, "", "", false},
	{"sip.ld", "poly", VENDOR_FILE_FIRMWARE, FILE_IDENTITY_COMMON, "", "", false},
	{"3111-48810-001.sip.ld", "poly", VENDOR_FILE_FIRMWARE, FILE_IDENTITY_COMMON, "", "",
	 false},
	{"9cadef010203.xml", "poly", CONFIG, "9cadef010203", "", true},
	/* Cisco */
	{"spa504G.cfg", "cisco", MODEL, "", "spa504G", false},
	{"8841-3PCC.xml", "cisco", MODEL, "", "8841", false},
	{"init.cfg", "cisco", COMMON, "", "", false},
	{"000e08aabbcc.xml", "cisco", CONFIG, "000e08aabbcc", "", true},
	{"Cisco/CP-7832-3PCC/000e08aabbcc.cfg", "cisco", CONFIG, "000e08aabbcc", "", true},
	{"spa50x-30x-7-6-2SR7.bin", "cisco", VENDOR_FILE_FIRMWARE, FILE_IDENTITY_MODEL, "",
	 "spa50x", false},
	{"sip88xx.12-0-7MPP0201-66.loads", "cisco", VENDOR_FILE_FIRMWARE, FILE_IDENTITY_MODEL, "",
	 "", false},
	{"SEP00562B043615.cnf.xml", "ciscoenterprise", STORED, "00562b043615", "", true},
	{"CTLSEP00562B043615.tlv", "ciscoenterprise", STORED, "00562b043615", "", false},
	{"ITLSEP00562B043615.tlv", "ciscoenterprise", STORED, "00562b043615", "", false},
	{"ITLFile.tlv", "ciscoenterprise", SHARED, "", "", false},
	{"XMLDefault.cnf.xml", "ciscoenterprise", SHARED, "", "", false},
	{"RINGLIST.XML", "ciscoenterprise", SHARED, "", "", false},
	{"syncinfo.xml", "ciscoenterprise", SHARED, "", "", false},
	{"SIPDefault.cnf", "ciscoenterprise", SHARED, "", "", false},
	{"SIP00562B043615.cnf", "ciscoenterprise", STORED, "00562b043615", "", true},
	{"ATA00562B043615.cnf.xml", "ciscoenterprise", STORED, "00562b043615", "", true},
	/* Mitel, ALE, Digium */
	{"aastra.cfg", "mitel", COMMON, "", "", false},
	{"MN_Generic.cfg", "mitel", COMMON, "", "", false},
	{"6867i.cfg", "mitel", VENDOR_FILE_STORED, FILE_IDENTITY_MODEL, "", "6867i", false},
	{"00085D2EA89A.cfg", "mitel", CONFIG, "00085d2ea89a", "", true},
	{"MN_1400E91EDB52.cfg", "mitel", CONFIG, "1400e91edb52", "", true},
	{"00085D2EA89A.tuz", "mitel", STORED, "00085d2ea89a", "", true},
	{"config.M3.xml", "alcatel", MODEL, "", "M3", false},
	{"config.3c28a620089e.xml", "alcatel", CONFIG, "3c28a620089e", "", true},
	{"sipconfig-00809f123456.txt", "alcatel", STORED, "00809f123456", "", true},
	{"lanpbx.cfg", "alcatel", SHARED, "", "", false},
	{"000fd3010203.cfg", "digium", CONFIG, "000fd3010203", "", true},
	{"Digium/000fd3010203.cfg", "digium", CONFIG, "000fd3010203", "", true},
	{"000fd3010203-contacts.xml", "digium", STORED, "000fd3010203", "", false},
	{"000fd3010203-smartblf.cfg", "digium", STORED, "000fd3010203", "", false},
	/* Yeastar, Algo, 2N, Avaya */
	{"cfgf4b549010203.xml", "yeastar", CONFIG, "f4b549010203", "", true},
	{"algom0022EE010203.conf", "algo", CONFIG, "0022ee010203", "", true},
	{"algo0022EE010203.conf", "algo", CONFIG, "0022ee010203", "", true},
	{"algop8188.conf", "algo", VENDOR_FILE_STORED, FILE_IDENTITY_MODEL, "", "8188", false},
	{"algom0022EE010203.md5", "algo", STORED, "0022ee010203", "", false},
	{"hipve-12-34-56-78-90-12.xml", "2n", CONFIG, "123456789012", "", true},
	{"ipverso-7c1eb3010203.xml", "2n", CONFIG, "7c1eb3010203", "", true},
	{"7c1eb3010203.xml", "2n", CONFIG, "7c1eb3010203", "", true},
	{"hipve_common.xml", "2n", SHARED, "", "", false},
	{"J100Supgrade.txt", "avaya", COMMON, "", "", false},
	{"46xxsettings.txt", "avaya", COMMON, "", "", false},
	{"c81fea83e85a.txt", "avaya", CONFIG, "c81fea83e85a", "", true},
	{"c81fea83e85a.cfg", "avaya", CONFIG, "c81fea83e85a", "", true},
	{"SIPC81FEA83E85A.cfg", "avaya", STORED, "c81fea83e85a", "", true},
	{"Nortel/config/SIPC81FEA83E85A.xml", "avaya", STORED, "c81fea83e85a", "", true},
	/* Nobody's */
	{"00562b04361.cnf.xml", NULL, CONFIG, "", "", false},
	{"SEP00562B04361G.cnf.xml", NULL, CONFIG, "", "", false},
	{"config.3c28a620089.xml", NULL, CONFIG, "", "", false},
	{"SEP000000000000.cnf.xml", NULL, CONFIG, "", "", false},
	{"algom0022EE010203.confx", NULL, CONFIG, "", "", false},
	{"hipve-12-34-56-78-90.xml", NULL, CONFIG, "", "", false},
};

static void check_name(const struct name_row *row)
{
	struct vendor_file_reading reading;
	bool is_known = vendor_read_file_name(&vendors, span_text(row->name), &reading);
	char text[mac_text_size] = "";

	CHECK(is_known == (row->vendor != NULL));
	if (!is_known || !row->vendor) {
		return;
	}
	if (reading.has_mac) {
		mac_text(reading.mac, text);
	}
	CHECK_TEXT(row->vendor, reading.pack ? reading.pack->name : SPAN("(ambiguous)"));
	CHECK_TEXT(row->mac, span_text(text));
	CHECK_TEXT(row->model, reading.model);
	if (reading.rule) {
		CHECK_EQUAL(row->kind, reading.rule->kind);
		CHECK_EQUAL(row->identity, reading.rule->identity);
		CHECK_EQUAL(row->has_secrets, reading.rule->has_secrets);
	}
}

static void names_of_files_tell_whose_they_are(void)
{
	REQUIRE(load_all());
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		check_name(&names[i]);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, names[i].name);
			break;
		}
	}
	vendors_free(&vendors);
}

/* --- below a device's URL --- */

struct asked_row {
	const char *vendor;
	const char *model;
	const char *mac;
	const char *name;
	enum config_file_kind kind;
	bool is_essential;
};

static const struct asked_row asked[] = {
	{"akuvox", "R29", "0c1105010203", "0C1105010203.cfg", CONFIG_FILE_RENDERED, true},
	{"flyingvoice", "FIP13G", "0021f2010203", "y000000000000.cfg", CONFIG_FILE_RENDERED, false},
	{"poly", "VVX_400", "0004f2010203", "0004f2010203.cfg", CONFIG_FILE_RENDERED, false},
	{"poly", "VVX_400", "0004f2010203", "phone0004f2010203.cfg", CONFIG_FILE_RENDERED, true},
	{"poly", "VVX_400", "0004f2010203", "VVX400-0004f2010203.cfg", CONFIG_FILE_RENDERED, true},
	{"poly", "VVX_400", "0004f2010203", "phone0004f2010204.cfg", CONFIG_FILE_NONE, false},
	{"cisco", "SPA504G", "000e08010203", "spa504G.cfg", CONFIG_FILE_RENDERED, false},
	{"cisco", "7832", "000e08010203", "Cisco/CP-7832-3PCC/000e08010203.cfg",
	 CONFIG_FILE_RENDERED, true},
	{"cisco", "7832", "000e08010203", "Cisco/CP-7832-3PCC/000e08010204.cfg", CONFIG_FILE_NONE,
	 false},
	{"ciscoenterprise", "7960G", "00562b043615", "SEP00562B043615.cnf.xml", CONFIG_FILE_NONE,
	 false},
	{"mitel", "6867i", "00085d010203", "aastra.cfg", CONFIG_FILE_RENDERED, false},
	{"mitel", "6867i", "00085d010203", "00085D010203.cfg", CONFIG_FILE_RENDERED, true},
	{"mitel", "6867i", "00085d010203", "6867i.cfg", CONFIG_FILE_NONE, false},
	{"alcatel", "M3", "3c28a6010203", "config.M3.xml", CONFIG_FILE_RENDERED, false},
	{"alcatel", "M3", "3c28a6010203", "config.3c28a6010203.xml", CONFIG_FILE_RENDERED, true},
	{"digium", "D65", "000fd3010203", "Digium/000fd3010203.cfg", CONFIG_FILE_RENDERED, true},
	{"yeastar", "TA200", "f4b549010203", "cfgf4b549010203.xml", CONFIG_FILE_RENDERED, true},
	{"algo", "8186", "0022ee010203", "algom0022EE010203.conf", CONFIG_FILE_RENDERED, true},
	{"2n", "", "7c1eb3010203", "hipve-7C-1E-B3-01-02-03.xml", CONFIG_FILE_RENDERED, true},
	{"2n", "", "7c1eb3010203", "hipve-7C-1E-B3-01-02-04.xml", CONFIG_FILE_NONE, false},
	{"avaya", "J179", "c81fea010203", "J100Supgrade.txt", CONFIG_FILE_RENDERED, false},
	{"avaya", "J179", "c81fea010203", "C81FEA010203.txt", CONFIG_FILE_RENDERED, true},
	/* A device of no recorded maker, by its OUI. */
	{"", "", "0004f2010203", "phone0004f2010203.cfg", CONFIG_FILE_RENDERED, true},
	{"", "", "0022ee010203", "algom0022EE010203.conf", CONFIG_FILE_RENDERED, true},
	{"", "", "00085d010203", "00085D010203.cfg", CONFIG_FILE_RENDERED, true},
};

/* What is stored counts once it is there; nothing is there here. */
static void names_below_a_device_are_its_files(void)
{
	struct inventory inventory;

	REQUIRE(load_all());
	fleet_open(&inventory, 10, 5);
	inventory.vendors = vendors;
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct device device = {.mac = fleet_mac(asked[i].mac), .state = DEVICE_CLAIMED};
		struct config_file file;

		snprintf(device.vendor, sizeof(device.vendor), "%s", asked[i].vendor);
		snprintf(device.model, sizeof(device.model), "%s", asked[i].model);
		file = config_file_find(&inventory, &device, span_text(asked[i].name));
		CHECK_EQUAL(asked[i].kind, file.kind);
		CHECK_EQUAL(asked[i].is_essential, file.is_essential);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, asked[i].name);
			break;
		}
	}
	inventory_free(&inventory);
}

/* dialects.md C, ecosystem.md 4.5 */
static void phones_are_told_to_fetch_in_their_makers_way(void)
{
	static const struct {
		const char *vendor;
		const char *resync;
		const char *reboot;
		bool reboots;
		bool asks;
	} rows[] = {
		{"akuvox", "", "", false, false},
		{"flyingvoice", "check-sync;reboot=true", "check-sync;reboot=true", true, false},
		{"atcom", "", "", false, false},
		{"poly", "check-sync", "check-sync", false, false},
		{"cisco", "resync", "reboot_now", false, true},
		{"ciscoenterprise", "service-control", "service-control", true, false},
		{"mitel", "check-sync", "check-sync;reboot=true", true, false},
		{"alcatel", "check-sync", "", false, false},
		{"digium", "check-sync", "check-sync", true, false},
		{"yeastar", "", "", false, false},
		{"algo", "check-sync", "check-sync;reboot=true", false, false},
		{"2n", "", "", false, false},
		{"avaya", "check-sync;reboot=false", "check-sync;reboot=true", false, false},
	};
	const struct vendor_pack *pack;

	REQUIRE(load_all());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pack = vendor_find(&vendors, span_text(rows[i].vendor));
		REQUIRE(pack != NULL);
		CHECK_TEXT(rows[i].resync, pack->resync.event);
		CHECK_TEXT(rows[i].reboot, pack->reboot.event);
		CHECK_EQUAL(rows[i].reboots, pack->resync_reboots);
		CHECK_EQUAL(rows[i].asks, pack->resync_asks_credentials);
	}
	pack = vendor_find(&vendors, SPAN("ciscoenterprise"));
	CHECK_TEXT("text/plain", pack->resync.content_type);
	CHECK(span_starts_with(pack->resync.body, SPAN("action=restart\r\nRegisterCallId={}\r\n")));
	CHECK(span_starts_with(pack->reboot.body, SPAN("action=reset\r\nRegisterCallId={}\r\n")));
	vendors_free(&vendors);
}

int main(void)
{
	RUN(packs_say_what_they_rest_on);
	RUN(speech_tells_maker_model_version_and_mac);
	RUN(a_class_may_end_with_nul);
	RUN(ouis_tell_the_maker);
	RUN(names_of_files_tell_whose_they_are);
	RUN(names_below_a_device_are_its_files);
	RUN(phones_are_told_to_fetch_in_their_makers_way);
	return test_end();
}
