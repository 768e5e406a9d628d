/** Starts a Trino server, as the module trino-server-main does, which is in the archive of a gigabyte alone. */
public class Start {
	public static void main(String[] args) {
		new io.trino.server.Server().start("435");
	}
}
